-- Steps in the life of one decision; all keys lie in the user's partition. Put after caps.lua.
-- KEYS: 1 caps sent, 2 caps held, 3 decision, 4 due, 5 claimed, 6 stream, 7 counts.
-- decision: HASH v = the record as answered, o = the open hand-off (absent once the decision is final), packed.
-- due: ZSET id -> when it is due (ms, the service's clock). claimed: ZSET id -> end of the claim (ms, wall).

-- The decision is about to be handed over now (due = 0: claimed by the caller) or later.
local function begin(id, now, wall, lease, claim, due, seconds, v, o, caps)
  local known = redis.call('HGET', KEYS[3], 'v')
  if known then return {2, known} end
  if due == 0 then
    local slot = cap_reserve(KEYS[1], KEYS[2], id, now, wall, lease, caps)
    if slot[1] == 0 then return slot end
    redis.call('ZADD', KEYS[5], wall + claim, id)
  else
    redis.call('ZADD', KEYS[4], due, id)
  end
  redis.call('HSET', KEYS[3], 'v', v, 'o', o)
  redis.call('EXPIRE', KEYS[3], seconds)
  return {1}
end

-- The decision is final. Answers the record that stands: another may have been quicker. Who brings no slot has
-- begun nothing, and must not close what another caller of the same request has begun.
local function finish(id, slot, at, keep, seconds, counts_seconds, v, entry, fields)
  local known = redis.call('HMGET', KEYS[3], 'v', 'o')
  if known[1] and (slot == '' or not known[2]) then return known[1] end
  if slot == 'commit' then cap_commit(KEYS[1], KEYS[2], id, at, keep) end
  if slot == 'release' then cap_release(KEYS[2], id) end
  redis.call('ZREM', KEYS[4], id)
  redis.call('ZREM', KEYS[5], id)
  redis.call('HSET', KEYS[3], 'v', v)
  redis.call('HDEL', KEYS[3], 'o')
  redis.call('EXPIRE', KEYS[3], seconds)
  redis.call('XADD', KEYS[6], '*', 'v', entry)
  for _, field in ipairs(fields) do redis.call('HINCRBY', KEYS[7], field, 1) end
  if #fields > 0 then redis.call('EXPIRE', KEYS[7], counts_seconds) end
  return false
end

-- A slot for an open push that is handed over after all; {-1} when another has closed it.
local function renew(id, now, wall, lease, o, caps)
  if redis.call('HEXISTS', KEYS[3], 'o') == 0 then return {-1, 0, 0} end
  local slot = cap_reserve(KEYS[1], KEYS[2], id, now, wall, lease, caps)
  if slot[1] == 1 then redis.call('HSET', KEYS[3], 'o', o) end
  return slot
end

-- How far an open push is. Nothing when another has closed it.
local function note(v, o)
  if redis.call('HEXISTS', KEYS[3], 'o') == 0 then return 0 end
  redis.call('HSET', KEYS[3], 'v', v, 'o', o)
  return 1
end

-- Back into the queue, without a slot; one that may have been sent goes on counting. Nothing when it is closed.
local function postpone(id, slot, at, keep, due, v, o)
  if redis.call('HEXISTS', KEYS[3], 'o') == 0 then return 0 end
  if slot == 'commit' then cap_commit(KEYS[1], KEYS[2], id, at, keep) else cap_release(KEYS[2], id) end
  redis.call('ZREM', KEYS[5], id)
  redis.call('ZADD', KEYS[4], due, id)
  redis.call('HSET', KEYS[3], 'v', v, 'o', o)
  return 1
end

-- Of a partition (KEYS: 1 due, 2 claimed): what a crash left behind, then what is due; claimed until wall + claim.
local function claim(now, wall, claim, limit)
  local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', wall, 'LIMIT', 0, limit)
  if #ids < limit then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, limit - #ids)) do
      redis.call('ZREM', KEYS[1], id)
      ids[#ids + 1] = id
    end
  end
  for _, id in ipairs(ids) do redis.call('ZADD', KEYS[2], wall + claim, id) end
  return ids
end
