"""The slots of one budget in Redis, as one script: whatever it does happens at once, by the clock of Redis itself.

It says the same as slot_log, which explains it. KEYS: the sorted set of what is busy, by the millisecond until which it
is; a hash of the limit as told (`size`), how many slots were ever taken (`begun`), and a 429's end (`closed`). Both
expire by themselves. It answers: taken or not, seen before, size, busy, milliseconds until all is free, milliseconds
until it opens again, then those until each of the next slots is free.
"""

SCRIPT = """
local busy, state = KEYS[1], KEYS[2]
local what, calls, ceiling, id, hold = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
local function add(name, milliseconds) redis.call('ZADD', busy, whole(now + milliseconds), name) end

redis.call('ZREMRANGEBYSCORE', busy, '-inf', whole(now))
local kept = redis.call('HMGET', state, 'size', 'begun', 'closed')
local size = tonumber(kept[1] or '') or calls
local begun = tonumber(kept[2] or '') or 0
local closed = tonumber(kept[3] or '') or 0
local count = redis.call('ZCARD', busy)
local taken, seen_before, wanted = 0, 0, 0

local function free_in(most)
  local found = {}
  for _ = 1, math.min(most, math.max(0, size - count)) do
    found[#found + 1] = math.max(0, closed - now)
  end
  if #found < most then
    local first = math.max(0, count - size)
    local rest = redis.call('ZRANGE', busy, first, first + most - #found - 1, 'WITHSCORES')
    for place = 2, #rest, 2 do
      found[#found + 1] = math.max(tonumber(rest[place]), closed) - now
    end
  end
  return found
end

if what == 'take' then
  local spare = math.min(tonumber(ARGV[6]), size - 1)
  if closed <= now and count + spare < size then
    add(id, hold)
    begun = redis.call('HINCRBY', state, 'begun', 1)
    taken, count = 1, count + 1
    seen_before = count - begun
  else
    wanted = tonumber(ARGV[7])
  end
elseif what == 'end' then
  local seen, limit, remaining = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
  local refused, closing = ARGV[10] == '1', tonumber(ARGV[11])
  if hold > 0 then add(id, hold) else redis.call('ZREM', busy, id) end
  count = redis.call('ZCARD', busy)
  if limit then
    size = math.max(1, math.min(limit, ceiling))
    redis.call('HSET', state, 'size', size)
  end
  if remaining and seen then
    local missing = math.min((limit or size) - remaining - (seen + begun), size - count)
    for other = 1, missing do add('others:' .. id .. ':' .. other, tonumber(ARGV[9])) end
    count = count + math.max(0, missing)
  end
  if refused then
    closing = closing or math.max(tonumber(ARGV[12]), free_in(1)[1])
    closed = math.max(closed, now + math.min(closing, tonumber(ARGV[13])))
    redis.call('HSET', state, 'closed', whole(closed))
  end
elseif what == 'tell' then
  for place = 4, #ARGV, 2 do add(ARGV[place], tonumber(ARGV[place + 1])) end
  count = redis.call('ZCARD', busy)
end

local last = redis.call('ZRANGE', busy, -1, -1, 'WITHSCORES')[2]
local busy_for = last and tonumber(last) - now or 0
if last then redis.call('PEXPIRE', busy, whole(busy_for + 1000)) end
redis.call('PEXPIRE', state, whole(math.max(3600000, closed - now + 1000)))
local answer = {taken, seen_before, size, count, math.max(busy_for, closed - now), math.max(0, closed - now)}
for _, milliseconds in ipairs(free_in(wanted)) do answer[#answer + 1] = milliseconds end
return answer
"""
