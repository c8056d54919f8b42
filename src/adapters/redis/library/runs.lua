-- Runs and their journals.

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

-- The lists that a journal up to `last` consists of, each with the seqs before its first entry and of its last.
local function segments_of(run, after, last)
  local segments = {}
  while true do
    local source, shared = source_of(run)
    table.insert(segments, 1, {list = key('journal', run), first = shared, last = last})
    if not source or after >= shared then return segments end
    run, last = source, math.min(shared, last)
  end
end

-- Entries behind `after`, at most `limit`, and no more once they have `max_bytes`; whether that is why they end.
local function entries_of(run, after, limit, max_bytes)
  local entries, bytes = {}, 0
  for _, segment in ipairs(segments_of(run, after, math.huge)) do
    local from, to = math.max(after, segment.first) - segment.first, math.min(segment.last, after + limit) - segment.first
    for first = from, to - 1, kEntries do
      local some = call('LRANGE', segment.list, first, math.min(first + kEntries, to) - 1)
      for _, entry in ipairs(some) do
        if bytes >= max_bytes then return entries, true end
        entries[#entries + 1] = entry
        bytes = bytes + #entry
      end
      if #some < kEntries then break end
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
    local entries = entries_of(run, 0, math.huge, math.huge)
    for _, entry in ipairs(entries) do bytes = bytes + #entry end
    found[#found + 1] = {record_of(run), entries}
  end
  return found
end

-- Of each run what its journal has behind a position, until there are `max_bytes`.
local function read_growth(q)
  local found, bytes = {}, 0
  for _, position in ipairs(q.from) do
    if bytes >= q.max_bytes then break end
    if call('EXISTS', key('run', position[1])) == 1 then
      local entries = entries_of(position[1], position[2], math.huge, q.max_bytes - bytes)
      for _, entry in ipairs(entries) do bytes = bytes + #entry end
      found[#found + 1] = {record_of(position[1]), entries}
    end
  end
  return found
end
