-- What runs inside Redis: every write and every read that looks at more than one value. A call runs alone and
-- whole, which is what makes a commit one step. Loaded with a name that holds its own digest, so that two
-- versions of it live side by side. docs/internals/redis.md has the keys.
--
-- Everything here is reached from one key, the base `{prefix}`: all keys begin with it and so lie in one slot.

-- These exist only while a function runs.
local function call(...) return redis.call(...) end
local function pack(...) return cmsgpack.pack(...) end
local function unpack_bytes(bytes) return cmsgpack.unpack(bytes) end

local kArguments = 1000    -- values given to one command
local kWriterLife = 2592000 -- seconds that a writer is remembered after its last write
local kBucket = 512        -- events in one list of the log

local base    -- of the call that runs
local latest  -- the latest time of the commits of this call

local function key(name, id)
  return base .. ':' .. name .. ':' .. id
end

local function number_at(hash, field)
  return tonumber(call('HGET', hash, field) or 0)
end

local function integer_text(number)
  return string.format('%.0f', number)
end

local function push(list, values)
  for first = 1, #values, kArguments do
    call('RPUSH', list, unpack(values, first, math.min(first + kArguments - 1, #values)))
  end
end

-- --- blobs ---

local function refer(digests)
  for _, digest in ipairs(digests or {}) do
    if call('HINCRBY', base .. ':blob-references', digest, 1) == 1 then
      call('ZREM', base .. ':blobs-unused', digest)
    end
  end
end

local function release(digests)
  for _, digest in ipairs(digests or {}) do
    if call('HINCRBY', base .. ':blob-references', digest, -1) <= 0 then
      call('HDEL', base .. ':blob-references', digest)
      local written = call('HGET', base .. ':blob-times', digest)
      if written then call('ZADD', base .. ':blobs-unused', written, digest) end
    end
  end
end

local function put_blob(o)
  local written = tonumber(call('HGET', base .. ':blob-times', o.digest) or o.now)
  if call('HEXISTS', base .. ':blob-times', o.digest) == 0 then
    call('SET', key('blob', o.digest), o.content)
  end
  -- Not back in time: someone may rely on the later one.
  written = integer_text(math.max(written, o.now))
  call('HSET', base .. ':blob-times', o.digest, written)
  if call('HEXISTS', base .. ':blob-references', o.digest) == 0 then
    call('ZADD', base .. ':blobs-unused', written, o.digest)
  end
  return 1
end

local function collect(o)
  local outputs = call('ZRANGE', base .. ':outputs', '-inf', integer_text(o.now), 'BYSCORE', 'LIMIT', 0, o.limit)
  for _, output in ipairs(outputs) do
    call('DEL', key('output', output))
    call('ZREM', base .. ':outputs', output)
  end
  local before = '(' .. integer_text(o.unused_since)
  local blobs = call('ZRANGE', base .. ':blobs-unused', '-inf', before, 'BYSCORE', 'LIMIT', 0, o.limit)
  for _, digest in ipairs(blobs) do
    call('DEL', key('blob', digest))
    call('HDEL', base .. ':blob-times', digest)
    call('ZREM', base .. ':blobs-unused', digest)
  end
  return #outputs + #blobs
end

-- --- records ---

-- What is stored: run or false, time, digests that it refers to or false, data.
local function forget_record(kind, id)
  local records = key('records', kind)
  local stored = call('HGET', records, id)
  if not stored then return 0 end
  local run, _, digests = unpack_bytes(stored)
  release(digests)
  call('HDEL', records, id)
  call('ZREM', key('records-in-order', kind), id)
  if run then call('ZREM', key('records-of', kind .. ':' .. run), id) end
  return 1
end

local function put_record(o)
  forget_record(o.kind, o.id)
  refer(o.digests)
  call('HSET', key('records', o.kind), o.id, pack(o.run or false, o.at, o.digests or false, o.data))
  call('ZADD', key('records-in-order', o.kind), integer_text(o.at), o.id)
  if o.run then call('ZADD', key('records-of', o.kind .. ':' .. o.run), integer_text(o.at), o.id) end
  return 1
end

local function remove_records(o)
  if o.id then return forget_record(o.kind, o.id) end
  local removed = 0
  for _, id in ipairs(call('HKEYS', key('records', o.kind))) do removed = removed + forget_record(o.kind, id) end
  return removed
end

local function list_records(q)
  local order = q.run and key('records-of', q.kind .. ':' .. q.run) or key('records-in-order', q.kind)
  local first, before_at = 0, nil
  if q.before then
    local stored = call('HGET', key('records', q.kind), q.before)
    if not stored then return false end
    local _, at = unpack_bytes(stored)
    local rank = call('ZREVRANK', order, q.before)
    if rank then
      first = rank + 1
    else
      first, before_at = call('ZCOUNT', order, '(' .. integer_text(at), '+inf'), at
    end
  end
  local found = {}
  while #found < q.limit do
    local ids = call('ZRANGE', order, first, first + q.limit - #found - 1, 'REV')
    if #ids == 0 then break end
    first = first + #ids
    for _, id in ipairs(ids) do
      local stored = call('HGET', key('records', q.kind), id)
      local _, at = unpack_bytes(stored)
      -- Of the same time as the cursor, which isn't in this list, only those behind it.
      if at ~= before_at or id < q.before then found[#found + 1] = {id, stored} end
    end
  end
  return found
end

-- --- the event log ---

local function append_event(event)
  local existing = call('HGET', base .. ':event-names', event.name)
  if existing then return {tonumber(existing), true} end
  local seq = call('INCR', base .. ':events')
  call('HSET', base .. ':event-names', event.name, seq)
  call('RPUSH', key('events', math.floor((seq - 1) / kBucket)), event.bytes)
  call('ZADD', key('events-on', event.topic), seq, seq)
  refer(event.digests)
  return {seq, false}
end

local function append_events(o)
  local answers = {}
  for i, event in ipairs(o.events) do answers[i] = append_event(event) end
  return answers
end

local function event_at(seq)
  return call('LINDEX', key('events', math.floor((seq - 1) / kBucket)), (seq - 1) % kBucket)
end

-- Of one topic, through its index. Seqs between `after` and `before`, neither included.
local function read_topic(q)
  local from, to = '(' .. integer_text(q.after), '(' .. integer_text(q.before)
  local seqs
  if q.forward then
    seqs = call('ZRANGE', key('events-on', q.topic), from, to, 'BYSCORE', 'LIMIT', 0, q.limit)
  else
    seqs = call('ZRANGE', key('events-on', q.topic), to, from, 'BYSCORE', 'REV', 'LIMIT', 0, q.limit)
  end
  local found, bytes = {}, 0
  for _, seq in ipairs(seqs) do
    if bytes >= q.max_bytes then return {found, tonumber(found[#found][1])} end
    local event = event_at(tonumber(seq))
    bytes = bytes + #event
    found[#found + 1] = {tonumber(seq), event}
  end
  local more = #seqs > 0 and #seqs == q.limit and found[#found][1]
  return {found, more or false}
end

-- Looks at `scan` events at most; gives what it found and where to go on, or false at the end.
local function scan_events(q)
  local step = q.forward and 1 or -1
  local last = tonumber(call('GET', base .. ':events') or 0)
  local seq = q.forward and q.after + 1 or math.min(q.before - 1, last)
  local found, bytes, looked_at = {}, 0, 0
  while seq > q.after and seq < q.before and seq <= last do
    if #found >= q.limit or bytes >= q.max_bytes or looked_at >= q.scan then return {found, seq - step} end
    local event = event_at(seq)
    local _, topic = cmsgpack.unpack_one(event, 0)
    if not q.pattern or topic:find(q.pattern) then
      found[#found + 1] = {seq, event}
      bytes = bytes + #event
    end
    seq, looked_at = seq + step, looked_at + 1
  end
  return {found, false}
end

local function read_events(q)
  if q.topic then return read_topic(q) end
  return scan_events(q)
end

-- --- the state of sessions ---

-- A current value is stored as: version, time at which it expires or false, digests or false, value. A past
-- one the same, after the version at which it went and its key.
local function retire(session, version, state_key, stored)
  local written, expires_at, digests, value = unpack_bytes(stored)
  if written == version then
    release(digests)  -- written twice at one version: no version shows the first
  else
    call('RPUSH', key('past', session), pack(version, state_key, written, expires_at, digests, value))
  end
  if expires_at then call('ZREM', base .. ':expiring', session .. '\0' .. state_key) end
  return #value
end

local function forget_past(session, version, history)
  local past = key('past', session)
  while true do
    local first = call('LINDEX', past, 0)
    if not first then return end
    local gone_at, _, _, _, digests = unpack_bytes(first)
    if gone_at > version - history + 1 then return end
    release(digests)
    call('LPOP', past)
  end
end

local function write_session(session, writes, history)
  local meta, state = key('session', session), key('state', session)
  local version = number_at(meta, 'version') + 1
  local count, bytes = number_at(meta, 'keys'), number_at(meta, 'bytes')
  for _, write in ipairs(writes) do
    local stored = call('HGET', state, write.key)
    if stored then
      count, bytes = count - 1, bytes - retire(session, version, write.key, stored)
      call('HDEL', state, write.key)
    end
    if write.value then
      count, bytes = count + 1, bytes + #write.value
      refer(write.digests)
      local entry = pack(version, write.expires_at or false, write.digests or false, write.value)
      call('HSET', state, write.key, entry)
      if write.expires_at then
        call('ZADD', base .. ':expiring', integer_text(write.expires_at), session .. '\0' .. write.key)
      end
    end
  end
  forget_past(session, version, history)
  call('HSET', meta, 'version', version, 'keys', count, 'bytes', bytes)
  return version
end

-- The precondition is false (none), 0 (the key is absent) or the version at which it was written.
local function write_state(o)
  local write = o.write
  local stored = call('HGET', key('state', o.session), write.key)
  local written, old_bytes = 0, 0
  if stored then
    local version, _, _, value = unpack_bytes(stored)
    written, old_bytes = version, #value
  end
  if o.precondition and o.precondition ~= written then return {'conflict', stored} end
  local meta = key('session', o.session)
  local count, bytes = number_at(meta, 'keys'), number_at(meta, 'bytes')
  local new_count = count + (write.value and 1 or 0) - (stored and 1 or 0)
  local new_bytes = bytes + #(write.value or '') - old_bytes
  -- A session beyond its bounds may still shrink.
  if (new_count > o.max_keys and new_count > count) or (new_bytes > o.max_bytes and new_bytes > bytes) then
    return {'too_large'}
  end
  return {'written', write_session(o.session, {write}, o.history)}
end

local function expire_state(o)
  local due = call('ZRANGE', base .. ':expiring', '-inf', integer_text(o.now), 'BYSCORE', 'LIMIT', 0, o.limit)
  local removals, sessions = {}, {}
  for _, member in ipairs(due) do
    local session, state_key = member:match('^(.*)%z(%Z*)$')
    if not removals[session] then
      removals[session] = {}
      sessions[#sessions + 1] = session
    end
    table.insert(removals[session], {key = state_key})
  end
  table.sort(sessions)
  local expired = {}
  for i, session in ipairs(sessions) do
    expired[i] = {session, write_session(session, removals[session], o.history)}
  end
  return expired
end

-- The latest version, and the entries of the one that is asked for if it can be read.
local function read_state(q)
  local latest_version = number_at(key('session', q.session), 'version')
  local version = q.version or latest_version
  if version > latest_version or version + q.history <= latest_version then return {latest_version, {}} end
  local found = {}
  local current = call('HGETALL', key('state', q.session))
  for i = 1, #current, 2 do
    if unpack_bytes(current[i + 1]) <= version then found[#found + 1] = {current[i], current[i + 1]} end
  end
  if version == latest_version then return {latest_version, found} end
  local past = key('past', q.session)
  for first = 0, call('LLEN', past) - 1, kArguments do
    for _, stored in ipairs(call('LRANGE', past, first, first + kArguments - 1)) do
      local gone_at, state_key, written, expires_at, _, value = unpack_bytes(stored)
      if written <= version and version < gone_at then
        found[#found + 1] = {state_key, pack(written, expires_at, false, value)}
      end
    end
  end
  return {latest_version, found}
end

-- --- runs and their journals ---

-- A fork has `source` and `shared`: the run that wrote the last of the entries it shares, and their number.
local function version_of(run)
  local own = call('LLEN', key('journal', run))
  if own == 0 then return 0 end
  return own + number_at(key('run', run), 'shared')
end

local function source_of(run)
  local fork = call('HMGET', key('run', run), 'source', 'shared')
  return fork[1], tonumber(fork[2] or 0)
end

-- The run that wrote entry `seq` of a journal.
local function writer_of(run, seq)
  local source, shared = source_of(run)
  while source and seq <= shared do
    run = source
    source, shared = source_of(run)
  end
  return run
end

local function refusal_of(commit)
  local state = commit.state
  if state and state.expected then
    local actual = number_at(key('session', state.session), 'version')
    if actual ~= state.expected then return {'moved', actual} end
  end
  if commit.claim then
    local taken = call('HGET', base .. ':claims', commit.claim.key)
    if taken then return {'taken', taken:sub(1, 26), taken:sub(27)} end
  end
  local version = version_of(commit.run)
  local expected = commit.create and 0 or commit.version
  if version ~= expected then return {'conflict', version} end
  if commit.fork then
    local source = version_of(commit.fork.run)
    if source < commit.fork.seq then return {'conflict', source} end
  end
  return nil
end

local function set_status(run, old, change)
  if old ~= change.status then
    if old then call('ZREM', key('runs', 'status:' .. old), run) end
    call('ZADD', key('runs', 'status:' .. change.status), 0, run)
  end
  if change.ended then
    call('ZREM', base .. ':open', run)
  else
    call('ZADD', base .. ':open', 0, run)
  end
  call('HSET', key('run', run), 'status', change.status, 'rest', change.rest)
end

local function create_run(commit)
  local run, create = commit.run, commit.create
  if commit.claim then call('HSET', base .. ':claims', commit.claim.key, run .. commit.claim.body_digest) end
  call('HSET', key('run', run), 'fixed', create.fixed)
  if commit.fork then
    local source = writer_of(commit.fork.run, commit.fork.seq)
    call('HSET', key('run', run), 'source', source, 'shared', commit.fork.seq)
  end
  for _, index in ipairs(create.indexes) do call('ZADD', key('runs', index), 0, run) end
  set_status(run, nil, create)
end

local function commit(o)
  local refusal = refusal_of(o)
  if refusal then return refusal end
  if o.create then create_run(o) end
  if o.status then set_status(o.run, call('HGET', key('run', o.run), 'status'), o.status) end
  push(key('journal', o.run), o.entries)
  latest = math.max(latest or o.latest, o.latest)
  refer(o.blobs)
  for _, removed in ipairs(o.removed or {}) do forget_record(removed.kind, removed.id) end
  for _, record in ipairs(o.records or {}) do put_record(record) end
  for _, output in ipairs(o.outputs or {}) do
    call('SET', key('output', output.key), output.bytes)
    call('ZADD', base .. ':outputs', integer_text(output.expires_at), output.key)
  end
  if not o.published and not o.state then return 1 end
  local seqs = {}
  for i, event in ipairs(o.published or {}) do seqs[i] = append_event(event)[1] end
  return {'done', seqs, o.state and write_session(o.state.session, o.state.writes, o.state.history) or false}
end

-- Entries behind `after`, at most `limit`.
local function entries_of(run, after, limit)
  local segments, last = {}, version_of(run)
  while true do
    local source, shared = source_of(run)
    table.insert(segments, 1, {run = run, first = shared, last = last})
    if not source or after >= shared then break end
    run, last = source, math.min(shared, last)
  end
  local entries = {}
  for _, segment in ipairs(segments) do
    local from, to = math.max(after, segment.first), math.min(segment.last, after + limit)
    if from < to then
      local list = key('journal', segment.run)
      for _, entry in ipairs(call('LRANGE', list, from - segment.first, to - segment.first - 1)) do
        entries[#entries + 1] = entry
      end
    end
  end
  return entries
end

local function read_journal(q)
  if call('EXISTS', key('run', q.run)) == 0 then return false end
  return entries_of(q.run, q.after, q.limit)
end

local function record_of(run)
  local stored = call('HMGET', key('run', run), 'fixed', 'status', 'rest')
  return {run, stored[1], stored[2], stored[3]}
end

local function find_run(q)
  if call('EXISTS', key('run', q.run)) == 0 then return false end
  return record_of(q.run)
end

-- One stretch of the shortest of the indexes that apply.
local function list_runs(q)
  local shortest, size
  for _, index in ipairs(q.indexes) do
    local count = call('ZCARD', key('runs', index))
    if not size or count < size then shortest, size = key('runs', index), count end
  end
  local from = q.before and '(' .. q.before or '+'
  local found = {}
  for i, run in ipairs(call('ZRANGE', shortest, from, '-', 'BYLEX', 'REV', 'LIMIT', 0, q.limit)) do
    found[i] = record_of(run)
  end
  return found
end

local function open_runs(q)
  local from = q.after and '(' .. q.after or '-'
  local found, bytes = {}, 0
  for _, run in ipairs(call('ZRANGE', base .. ':open', from, '+', 'BYLEX', 'LIMIT', 0, q.limit)) do
    if bytes >= q.max_bytes then break end
    local entries = entries_of(run, 0, version_of(run))
    for _, entry in ipairs(entries) do bytes = bytes + #entry end
    found[#found + 1] = {record_of(run), entries}
  end
  return found
end

-- --- the three functions ---

local operations = {
  commit = commit,
  put_blob = put_blob,
  collect = collect,
  put_record = put_record,
  remove_records = remove_records,
  append_events = append_events,
  write_state = write_state,
  expire_state = expire_state,
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
}

-- While a cluster moves the slot to another node, each key is on one of the two: a command on a key that isn't
-- here fails, in the middle of a commit if need be. So ask for one that is never there, before anything else.
local function refusal_while_moving()
  local answer = redis.pcall('EXISTS', base .. ':never')
  if type(answer) ~= 'table' then return nil end
  return redis.error_reply('TRYAGAIN the slot is being moved: ' .. tostring(answer.err))
end

local function save_latest()
  if not latest then return end
  local known = call('GET', base .. ':latest')
  if not known or tonumber(known) < latest then call('SET', base .. ':latest', integer_text(latest)) end
end

-- A writer is a process. Its hash has its `last` call, the `epoch` of its connection, and the answers, by the
-- numbers of the calls, that it may not have yet.
local function regressed(last, acknowledged)
  return tonumber(last or -1) < tonumber(acknowledged)
end

-- Arguments: writer, epoch, number of this call, number of the call that must have been the writer's last one,
-- number of the last call whose answer it has, operations. A call that was left behind in an older connection is
-- refused; one that comes again gets the answer of the first time and changes nothing. Where the writer's last
-- call is older than the one whose answer it has, the server has forgotten what it acknowledged.
local function write(keys, args)
  base, latest = keys[1], nil
  local moving = refusal_while_moving()
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

-- Arguments: writer, number of the last call whose answer it has or -1 for a new writer, format of the data. Begins
-- an epoch: calls of the writer's earlier connections have been done by now, or never will be. Gives it, and the
-- answers that the writer may not have.
local function greet(keys, args)
  base = keys[1]
  local moving = refusal_while_moving()
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
  base = keys[1]
  local moving = refusal_while_moving()
  if moving then return moving end
  return pack({'done', queries[args[1]](unpack_bytes(args[2]))})
end

redis.register_function{function_name = 'ganglion_write_' .. version, callback = write}
redis.register_function{function_name = 'ganglion_greet_' .. version, callback = greet, flags = {'allow-oom'}}
redis.register_function{function_name = 'ganglion_read_' .. version, callback = read, flags = {'no-writes'}}
