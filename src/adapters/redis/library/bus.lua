-- Queues: a stream each, with one consumer group. A consumer of the group is a session, which is one connection
-- of one process and lives while its key does, or somebody else's: a plain client that reads the stream under a
-- name of its own. What a dead session had goes back to its stream as a new entry that counts its deliveries,
-- and so does what anybody had for too long. docs/guide/queues.md says what plain clients may rely on.

local bus = {}

do
  local kGroup = 'ganglion'
  local kSession = 'bus-session:'  -- how names of sessions begin; with the base before it a session's key
  local kMaxDeadLetters = 10000    -- as in ports/bus.h
  local kMaxGivenBack = 100        -- of one consumer in one call
  local kSessionLife = 1200        -- milliseconds without a sign of life
  local kPlainClaim = 30000        -- milliseconds that a plain consumer may keep an entry without a word
  local kForgotten = 3600000       -- milliseconds until a plain consumer that has nothing is forgotten

  local function option(queue, name)
    return tonumber(call('HGET', key('queue-options', queue), name) or nil)
  end

  local function waiting(stream)
    return call('XLEN', stream) - call('XPENDING', stream, kGroup)[1]
  end

  -- Somebody may have put an entry there before the queue was declared, or have deleted the stream.
  local function make_group(stream)
    return redis.pcall('XGROUP', 'CREATE', stream, kGroup, '0', 'MKSTREAM')
  end

  -- Consumers that have found less than they wanted wait for this.
  local function wake(queue)
    if call('DEL', key('queue-hungry', queue)) == 1 then call('PUBLISH', key('queue-wakes', queue), '') end
  end

  -- A plain client leaves out what it doesn't need; without a body it is no message.
  local function message_of(fields)
    local message = {id = '', type = '', reply_to = ''}
    for i = 1, #fields, 2 do message[fields[i]] = fields[i + 1] end
    return message
  end

  local function add(stream, message, deliveries)
    call('XADD', stream, '*', 'id', message.id, 'type', message.type, 'reply_to', message.reply_to,
         'body', message.body, 'deliveries', deliveries)
  end

  local function bury(queue, message, reason)
    call('XADD', key('queue-dead', queue), 'MAXLEN', kMaxDeadLetters, '*', 'id', message.id, 'type', message.type,
         'reply_to', message.reply_to, 'body', message.body or '', 'reason', reason)
  end

  -- Takes an entry that is with a consumer out of the stream, and gives its message; nothing if it isn't there.
  local function take(stream, id)
    local found = call('XRANGE', stream, id, id)[1]
    call('XACK', stream, kGroup, id)
    call('XDEL', stream, id)
    return found and message_of(found[2])
  end

  local function give_back(queue, id)
    local stream = key('queue', queue)
    local message = take(stream, id)
    if not message then return end
    if not message.body then return bury(queue, message, 'no body') end
    local before = (message.deliveries or ''):match('^%d+$')
    local deliveries = tonumber(before or 0) + 1
    if deliveries >= option(queue, 'max_deliveries') then return bury(queue, message, 'delivered too often') end
    add(stream, message, deliveries)
    wake(queue)
  end

  -- What a consumer has had for so long. Gives their number.
  local function give_back_old(queue, consumer, age)
    local stream = key('queue', queue)
    local had = call('XPENDING', stream, kGroup, 'IDLE', age, '-', '+', kMaxGivenBack, consumer)
    for _, entry in ipairs(had) do give_back(queue, entry[1]) end
    return #had
  end

  local function is_dead(session)
    return call('EXISTS', base .. ':' .. session) == 0
  end

  local function forget(stream, consumer)
    return call('XGROUP', 'DELCONSUMER', stream, kGroup, consumer)
  end

  -- What a plain client has acknowledged and not deleted.
  local function sweep(stream)
    local pending = call('XPENDING', stream, kGroup)  -- how many, oldest, …
    if call('XLEN', stream) == pending[1] then return end
    if pending[1] > 0 then return call('XTRIM', stream, 'MINID', pending[2]) end
    for _, group in ipairs(call('XINFO', 'GROUPS', stream)) do
      if group[2] == kGroup then  -- name, NAME, consumers, N, pending, N, last-delivered-id, ID, …
        call('XTRIM', stream, 'MINID', group[8])
        call('XDEL', stream, group[8])
      end
    end
  end

  function bus.declare(queue, max_length, max_deliveries, claim_after)
    call('HSET', key('queue-options', queue), 'max_length', max_length, 'max_deliveries', max_deliveries, 'claim_after',
         claim_after)
    local made = make_group(key('queue', queue))
    if made.err and not made.err:find('BUSYGROUP', 1, true) then return made end
    call('PUBLISH', key('queue-wakes', queue), '')
    return 'done'
  end

  function bus.publish(queue, id, kind, reply_to, body)
    local bound = option(queue, 'max_length')
    if not bound then return 'unknown_queue' end
    local stream = key('queue', queue)
    if call('XLEN', stream) >= bound and waiting(stream) >= bound then return 'overloaded' end
    add(stream, {id = id, type = kind, reply_to = reply_to, body = body}, 0)
    wake(queue)
    return 'done'
  end

  function bus.live(session)
    return call('SET', base .. ':' .. session, '', 'PX', kSessionLife)
  end

  -- Its consumers know nothing any more of what they had.
  function bus.leave(session)
    return call('DEL', base .. ':' .. session)
  end

  -- Entries of [id, fields]; fewer than `count` where there are no more now.
  function bus.fetch(queue, session, count)
    if not option(queue, 'max_length') then return 'unknown_queue' end
    bus.live(session)
    local stream = key('queue', queue)
    local got = redis.pcall('XREADGROUP', 'GROUP', kGroup, session, 'COUNT', count, 'STREAMS', stream, '>')
    if got and got.err then make_group(stream) end
    local entries = got and got[1] and got[1][2] or {}
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
          local message = take(stream, id)
          if fate == 'buried' and message then bury(queue, message, reason) end
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
    local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, kGroup)
    if consumers.err then
      make_group(stream)
      return 'done'
    end
    for _, consumer in ipairs(consumers) do
      local name, pending, idle = consumer[2], consumer[4], consumer[6]  -- name, NAME, pending, N, idle, MS, …
      if name:sub(1, #kSession) ~= kSession then
        give_back_old(queue, name, math.min(claim_after, kPlainClaim))
        if pending == 0 and idle > kForgotten then forget(stream, name) end
      elseif not is_dead(name) then
        give_back_old(queue, name, claim_after)
      elseif give_back_old(queue, name, 0) < kMaxGivenBack then
        forget(stream, name)
      end
    end
    sweep(stream)
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
    local moving = begin(keys)
    if moving then return moving end
    return bus[args[1]](unpack(args, 2))
  end

  -- Only what adds to memory is refused when it is full: the rest makes room.
  redis.register_function{function_name = 'ganglion_publish_' .. version, callback = run}
  redis.register_function{function_name = 'ganglion_bus_' .. version, callback = run, flags = {'allow-oom'}}
end
