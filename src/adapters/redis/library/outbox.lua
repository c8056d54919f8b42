-- The outbox: runs whose journals are still to be copied, by when each may be taken, in this server's time.

local outbox_is_on  -- known once for each call

-- 0 where the user may not ask.
local function milliseconds()
  local time = redis.pcall('TIME')
  if time.err then return 0 end
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function put(run)
  call('ZADD', base .. ':outbox', 'NX', integer_text(milliseconds()), run)
end

local function note_growth(run)
  if outbox_is_on == nil then outbox_is_on = call('EXISTS', base .. ':outbox-is-on') == 1 end
  if outbox_is_on then put(run) end
end

-- Whether it is on.
local function turn_outbox_on()
  if milliseconds() == 0 then return false end
  call('SET', base .. ':outbox-is-on', 1)
  outbox_is_on = true
  return true
end

local function put_into_outbox(o)
  for _, run in ipairs(o.runs) do
    if call('EXISTS', key('run', run)) == 1 then put(run) end
  end
  return 1
end

-- A lease that would end later than any from now on is one from before the server's clock was set back.
local function take_from_outbox(o)
  local outbox, now = base .. ':outbox', milliseconds()
  local taken = call('ZRANGE', outbox, '-inf', integer_text(now), 'BYSCORE', 'LIMIT', 0, o.limit)
  local beyond = '(' .. integer_text(now + o.longest_lease)
  for _, run in ipairs(call('ZRANGE', outbox, beyond, '+inf', 'BYSCORE', 'LIMIT', 0, o.limit - #taken)) do
    taken[#taken + 1] = run
  end
  for _, run in ipairs(taken) do call('ZADD', outbox, integer_text(now + o.lease), run) end
  return taken
end

local function settle_outbox(o)
  local outbox, now = base .. ':outbox', integer_text(milliseconds())
  for _, position in ipairs(o.copied) do
    if version_of(position[1]) > position[2] then
      call('ZADD', outbox, 'XX', now, position[1])
    else
      call('ZREM', outbox, position[1])
    end
  end
  return 1
end
