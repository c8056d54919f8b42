-- Runs, their journals, and the commit.

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

-- Entries behind `after`, at most `limit`, and no more once they have `max_bytes`; whether that is why they end.
local function entries_of(run, after, limit, max_bytes)
  local segments, last = {}, version_of(run)
  while true do
    local source, shared = source_of(run)
    table.insert(segments, 1, {run = run, first = shared, last = last})
    if not source or after >= shared then break end
    run, last = source, math.min(shared, last)
  end
  local entries, bytes = {}, 0
  for _, segment in ipairs(segments) do
    local list = key('journal', segment.run)
    local from, to = math.max(after, segment.first) - segment.first, math.min(segment.last, after + limit) - segment.first
    for first = from, to - 1, kEntries do
      if bytes >= max_bytes then return entries, true end
      for _, entry in ipairs(call('LRANGE', list, first, math.min(first + kEntries, to) - 1)) do
        entries[#entries + 1] = entry
        bytes = bytes + #entry
      end
    end
  end
  return entries, false
end

local function read_journal(q)
  if call('EXISTS', key('run', q.run)) == 0 then return false end
  return {entries_of(q.run, q.after, q.limit, q.max_bytes)}
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
    local entries = entries_of(run, 0, version_of(run), math.huge)
    for _, entry in ipairs(entries) do bytes = bytes + #entry end
    found[#found + 1] = {record_of(run), entries}
  end
  return found
end
