-- The three functions, and what they carry.

local operations = {
  commit = commit,
  put_blob = put_blob,
  collect = collect,
  put_record = put_record,
  remove_records = remove_records,
  append_events = append_events,
  write_state = write_state,
  expire_state = expire_state,
  turn_outbox_on = turn_outbox_on,
  put_into_outbox = put_into_outbox,
  take_from_outbox = take_from_outbox,
  settle_outbox = settle_outbox,
  put_definition = function(o) return call('HSETNX', base .. ':definitions', o.digest, o.source) end,
  put_setting = function(o) return call('HSET', base .. ':settings', o.name, o.value) end,
}

local queries = {
  read_journal = read_journal,
  find_run = find_run,
  list_runs = list_runs,
  open_runs = open_runs,
  list_records = list_records,
  read_events = read_events,
  read_state = read_state,
  read_growth = read_growth,
}

local function save_latest()
  if not latest then return end
  local known = call('GET', base .. ':latest')
  if not known or tonumber(known) < latest then call('SET', base .. ':latest', integer_text(latest)) end
end

-- A writer is a process. Its hash has its `last` call, the `epoch` of its connection, and the answers, by the
-- numbers of the calls, that it may not have yet.
local function regressed(last, acknowledged)
  return tonumber(last or 0) < tonumber(acknowledged)
end

-- Arguments: writer, epoch, number of this call, number of the call that must have been the writer's last one,
-- number of the last call whose answer it has, operations. A call that was left behind in an older connection is
-- refused; one that comes again gets the answer of the first time and changes nothing. Where the writer's last
-- call is older than the one whose answer it has, the server has forgotten what it acknowledged.
local function write(keys, args)
  latest, outbox_is_on = nil, nil
  local moving = begin(keys)
  if moving then return moving end
  local writer = key('writer', args[1])
  local number, acknowledged = args[3], args[5]
  local known = call('HMGET', writer, 'last', 'epoch', number)
  if regressed(known[1], acknowledged) then return pack({'regressed'}) end
  if known[2] ~= args[2] then return redis.error_reply('TRYAGAIN the writer has another connection') end
  if known[3] then return known[3] end
  if known[1] ~= args[4] then return redis.error_reply('TRYAGAIN a write before this one is missing') end
  local answers = {}
  for i = 6, #args do
    local operation = unpack_bytes(args[i])
    answers[i - 5] = operations[operation.op](operation)
  end
  save_latest()
  local answer = pack({'done', answers})
  for _, field in ipairs(call('HKEYS', writer)) do
    local answered = tonumber(field)
    if answered and answered <= tonumber(acknowledged) then call('HDEL', writer, field) end
  end
  call('HSET', writer, 'last', number, number, answer)
  call('EXPIRE', writer, kWriterLife)
  return answer
end

-- Arguments: writer, number of the last call whose answer it has, format of the data. Begins
-- an epoch: calls of the writer's earlier connections have been done by now, or never will be. Gives it, and the
-- answers that the writer may not have.
local function greet(keys, args)
  local moving = begin(keys)
  if moving then return moving end
  local format = call('GET', base .. ':format')
  if format and format ~= args[3] then return pack({'format', format}) end
  if not format then call('SET', base .. ':format', args[3]) end
  local writer, acknowledged = key('writer', args[1]), args[2]
  if regressed(call('HGET', writer, 'last'), acknowledged) then return pack({'regressed'}) end
  call('HSETNX', writer, 'last', 0)
  local epoch = call('HINCRBY', writer, 'epoch', 1)
  call('EXPIRE', writer, kWriterLife)
  local answers = {}
  local fields = call('HGETALL', writer)
  for i = 1, #fields, 2 do
    local number = tonumber(fields[i])
    if number and number > tonumber(acknowledged) then answers[#answers + 1] = {number, fields[i + 1]} end
  end
  return pack({'done', epoch, answers})
end

local function read(keys, args)
  local moving = begin(keys)
  if moving then return moving end
  return pack({'done', queries[args[1]](unpack_bytes(args[2]))})
end

redis.register_function{function_name = 'ganglion_write_' .. version, callback = write}
redis.register_function{function_name = 'ganglion_greet_' .. version, callback = greet, flags = {'allow-oom'}}
redis.register_function{function_name = 'ganglion_read_' .. version, callback = read, flags = {'no-writes'}}
