-- Blobs, how often each is referred to, and cached outputs.

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
