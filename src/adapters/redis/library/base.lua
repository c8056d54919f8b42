-- What runs inside Redis: every write and every read that looks at more than one value. A call runs alone and
-- whole, which is what makes a commit one step. Loaded with a name that holds its own digest, so that two
-- versions of it live side by side. docs/internals/redis.md has the keys.
--
-- Everything here is reached from one key, the base `{prefix}`: all keys begin with it and so lie in one slot.

local call, pack, unpack_bytes  -- Redis has them only while a function runs

local kArguments = 1000      -- values given to one command
local kWriterLife = 2592000  -- seconds that a writer is remembered after its last write
local kBucket = 512          -- events in one list of the log
local kEntries = 64          -- of a journal, taken at once

local base    -- of the call that runs
local latest  -- the latest time of the commits of this call

-- While a cluster moves the slot to another node, each key is on one of the two: a command on a key that isn't
-- here fails, in the middle of a commit if need be. So ask for one that is never there, before anything else.
local function refusal_while_moving()
  local answer = redis.pcall('EXISTS', base .. ':never')
  if type(answer) ~= 'table' then return nil end
  return redis.error_reply('TRYAGAIN the slot is being moved: ' .. tostring(answer.err))
end

-- Every function begins with it; an answer that it gives is the function's.
local function begin(keys)
  call, pack, unpack_bytes = redis.call, cmsgpack.pack, cmsgpack.unpack
  base = keys[1]
  return refusal_while_moving()
end

local function key(name, id)
  return base .. ':' .. name .. ':' .. id
end

local function number_at(hash, field)
  return tonumber(call('HGET', hash, field) or 0)
end

-- In the order of bytes, which every index has; that of `<` depends on the server's locale.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then return a:byte(i) < b:byte(i) end
  end
  return #a < #b
end

local function integer_text(number)
  return string.format('%.0f', number)
end

local function push(list, values)
  for first = 1, #values, kArguments do
    call('RPUSH', list, unpack(values, first, math.min(first + kArguments - 1, #values)))
  end
end
