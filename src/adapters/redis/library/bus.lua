-- Queues: a stream each, with one consumer group. A consumer of the group is a session, which is one connection
-- of one process; it lives while its key does. What a dead one had goes back to its stream as a new entry that
-- counts its deliveries, and so does what a living one had for too long.

local bus = {}

do
  local kGroup = 'ganglion'
  local kMaxDeadLetters = 10000  -- as in ports/bus.h
  local kMaxGivenBack = 100      -- in one call
  local kSessionLife = 1200      -- milliseconds without a sign of life

  local function option(queue, name)
    return tonumber(call('HGET', key('queue-options', queue), name) or nil)
  end

  local function waiting(stream)
    return call('XLEN', stream) - call('XPENDING', stream, kGroup)[1]
  end

  -- Consumers that have found less than they wanted wait for this.
  local function wake(queue)
    if call('DEL', key('queue-hungry', queue)) == 1 then call('PUBLISH', key('queue-wakes', queue), '') end
  end

  local function bury(queue, fields, reason)
    call('XADD', key('queue-dead', queue), 'MAXLEN', kMaxDeadLetters, '*', 'i', fields[2], 't', fields[4], 'r', fields[6],
         'b', fields[8], 'w', reason)
  end

  -- Takes an entry that is with a consumer out of the stream, and gives its fields; nothing if it isn't there.
  local function take(stream, id)
    local found = call('XRANGE', stream, id, id)[1]
    call('XACK', stream, kGroup, id)
    call('XDEL', stream, id)
    return found and found[2]
  end

  local function give_back(queue, id)
    local stream = key('queue', queue)
    local fields = take(stream, id)
    if not fields then return end
    local deliveries = tonumber(fields[10]) + 1
    if deliveries >= option(queue, 'max_deliveries') then return bury(queue, fields, 'delivered too often') end
    call('XADD', stream, '*', 'i', fields[2], 't', fields[4], 'r', fields[6], 'b', fields[8], 'n', deliveries)
    wake(queue)
  end

  function bus.declare(queue, max_length, max_deliveries, claim_after)
    call('HSET', key('queue-options', queue), 'max_length', max_length, 'max_deliveries', max_deliveries, 'claim_after',
         claim_after)
    local stream = key('queue', queue)
    if call('EXISTS', stream) == 0 then call('XGROUP', 'CREATE', stream, kGroup, '0', 'MKSTREAM') end
    call('PUBLISH', key('queue-wakes', queue), '')
    return 'done'
  end

  function bus.publish(queue, id, kind, reply_to, body)
    local bound = option(queue, 'max_length')
    if not bound then return 'unknown_queue' end
    local stream = key('queue', queue)
    if call('XLEN', stream) >= bound and waiting(stream) >= bound then return 'overloaded' end
    call('XADD', stream, '*', 'i', id, 't', kind, 'r', reply_to, 'b', body, 'n', 0)
    wake(queue)
    return 'done'
  end

  function bus.live(session)
    return call('SET', key('session', session), '', 'PX', kSessionLife)
  end

  -- Its consumers know nothing any more of what they had.
  function bus.leave(session)
    return call('DEL', key('session', session))
  end

  -- Entries of [id, fields]; fewer than `count` where there are no more now.
  function bus.fetch(queue, session, count)
    if not option(queue, 'max_length') then return 'unknown_queue' end
    bus.live(session)
    local got = call('XREADGROUP', 'GROUP', kGroup, session, 'COUNT', count, 'STREAMS', key('queue', queue), '>')
    local entries = got and got[1][2] or {}
    if #entries < tonumber(count) then call('SET', key('queue-hungry', queue), '') end
    return entries
  end

  -- Triples of fate, entry and reason. What isn't with the session any more is somebody else's now.
  function bus.settle(queue, session, ...)
    local settled = {...}
    local stream = key('queue', queue)
    if call('EXISTS', stream) == 0 then return 'unknown_queue' end
    for i = 1, #settled, 3 do
      local fate, id, reason = settled[i], settled[i + 1], settled[i + 2]
      if #call('XPENDING', stream, kGroup, id, id, 1, session) == 1 then
        if fate == 'back' then
          give_back(queue, id)
        else
          local fields = take(stream, id)
          if fate == 'buried' and fields then bury(queue, fields, reason) end
        end
      end
    end
    return 'done'
  end

  -- Gives back what sessions have that are gone, and what has been with anybody for too long.
  function bus.reap(queue)
    local claim_after = option(queue, 'claim_after')
    if not claim_after then return 'unknown_queue' end
    local stream = key('queue', queue)
    for _, consumer in ipairs(call('XINFO', 'CONSUMERS', stream, kGroup)) do
      local session = consumer[2]  -- name, SESSION, …
      if call('EXISTS', key('session', session)) == 0 then
        local had = call('XPENDING', stream, kGroup, '-', '+', kMaxGivenBack, session)
        for _, entry in ipairs(had) do give_back(queue, entry[1]) end
        if #had < kMaxGivenBack then call('XGROUP', 'DELCONSUMER', stream, kGroup, session) end
      end
    end
    for _, entry in ipairs(call('XPENDING', stream, kGroup, 'IDLE', claim_after, '-', '+', kMaxGivenBack)) do
      give_back(queue, entry[1])
    end
    return 'done'
  end

  function bus.depth(queue)
    if not option(queue, 'max_length') then return 'unknown_queue' end
    return waiting(key('queue', queue))
  end

  function bus.dead_letters(queue, limit)
    if not option(queue, 'max_length') then return 'unknown_queue' end
    return call('XRANGE', key('queue-dead', queue), '-', '+', 'COUNT', limit)
  end

  function bus.remove(queue)
    call('DEL', key('queue', queue), key('queue-options', queue), key('queue-dead', queue), key('queue-hungry', queue))
    return 'done'
  end

  -- Arguments: what to do, and its own.
  local function run(keys, args)
    base = keys[1]
    local moving = refusal_while_moving()
    if moving then return moving end
    return bus[args[1]](unpack(args, 2))
  end

  -- Only what adds to memory is refused when it is full: the rest makes room.
  redis.register_function{function_name = 'ganglion_publish_' .. version, callback = run}
  redis.register_function{function_name = 'ganglion_bus_' .. version, callback = run, flags = {'allow-oom'}}
end
