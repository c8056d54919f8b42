-- The commit: checked completely before its first write.

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
  note_growth(o.run)
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
