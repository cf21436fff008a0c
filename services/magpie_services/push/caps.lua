-- Rolling caps of one user. KEYS[1] sent: ZSET decision id -> when sent (ms). KEYS[2] held: ZSET decision id ->
-- end of its lease (ms by the wall). Whoever is sent or held counts. All calls may be repeated.
-- Functions only: the scripts that use them are put together in caps.py and ledger.py.

local function cap_reserve(sent, held, id, now, wall, lease, caps)
  redis.call('ZREMRANGEBYSCORE', held, '-inf', wall)
  if redis.call('ZSCORE', sent, id) then return {1, 0, 0} end
  if not redis.call('ZSCORE', held, id) then
    local waiting = redis.call('ZCARD', held)
    for i = 1, #caps, 2 do
      local window, limit = tonumber(caps[i]), tonumber(caps[i + 1])
      local count = waiting + redis.call('ZCOUNT', sent, '(' .. string.format('%.0f', now - window), '+inf')
      if count >= limit then return {0, count, (i + 1) / 2} end
    end
  end
  redis.call('ZADD', held, wall + lease, id)
  redis.call('PEXPIRE', held, math.max(lease, redis.call('PTTL', held)))
  return {1, 0, 0}
end

local function cap_commit(sent, held, id, at, keep)
  redis.call('ZREM', held, id)
  redis.call('ZADD', sent, 'NX', at, id)
  redis.call('ZREMRANGEBYSCORE', sent, '-inf', string.format('%.0f', at - keep))
  redis.call('PEXPIRE', sent, keep)
end

local function cap_release(held, id)
  redis.call('ZREM', held, id)
end

local function cap_usage(sent, now, windows)
  local last = redis.call('ZREVRANGE', sent, 0, 0, 'WITHSCORES')
  local usage = {last[2] or '0'}
  for i = 1, #windows do
    usage[i + 1] = redis.call('ZCOUNT', sent, '(' .. string.format('%.0f', now - tonumber(windows[i])), '+inf')
  end
  return usage
end
