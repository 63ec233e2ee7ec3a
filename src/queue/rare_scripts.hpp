// The Lua of what happens seldom, and of what people ask for. For scripts.cpp alone, which joins
// and explains them.
#pragma once

#include <string_view>

namespace fogctl::lua {

// retry: puts held tasks off, those whose run failed and others; they are leased again from their
// time on.
// KEYS 1 held of this holder, 2 delayed, 3 counts
// ARGV uid, lease number, when, runs that failed (1 or 0), of each
// Returns how many it put there; superseded ones are skipped.
inline constexpr std::string_view retry = R"lua(
local held, delayed, counts, n = KEYS[1], KEYS[2], KEYS[3], 0
for i = 1, #ARGV, 4 do
  local value = redis.call('HGET', held, ARGV[i])
  local flag = value and string.sub(value, 59, 59)
  if value and flag ~= 'w' and string.sub(value, 60) == ARGV[i + 1] then
    local failures = math.min(tonumber(string.sub(value, 17, 18)) + ARGV[i + 3], 99)
    local ticket = string.sub(value, 1, 16) .. string.format('%02d', failures)
      .. string.sub(value, 19, 58)
    redis.call('HDEL', held, ARGV[i])
    redis.call('ZADD', delayed, ARGV[i + 2], ticket .. ARGV[i])
    redis.call('HINCRBY', counts, 'l' .. string.sub(value, 49, 49), -1)
    redis.call('HINCRBY', counts, 'delayed', 1)
    n = n + 1
  end
end
return n
)lua";

// Removes the place of a task, whose score is known to lie there; returns it, nil: it is not there.
inline constexpr std::string_view take_from = R"lua(
local function take_from(key, uid, least, most)
  local found = redis.call('ZRANGEBYSCORE', key, least, most)
  for i = 1, #found do
    if string.sub(found[i], 59) == uid then
      redis.call('ZREM', key, found[i])
      return found[i]
    end
  end
end
)lua";

// withdraw: holds queued tasks as away. Made again, it says what it said before.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 held of this holder, 5 counts, 6 holders, 7 lives, 8 askers
// ARGV 1 now, 2 holder, 3 end of its lease if it is new, 4 lease number; uids
// Returns {life of the holder or '', the lease number of each; 0: it does not wait, or two holders
// wait for it}
inline constexpr std::string_view withdraw = R"lua(
local numbers, held_some = {}, false
for i = 5, #ARGV do
  local uid = ARGV[i]
  local body = redis.call('HGET', KEYS[1], uid)
  local value = body and redis.call('HGET', KEYS[4], uid)
  local number, member = 0, nil
  if value then
    if string.sub(value, 59, 59) == 'w' then number = tonumber(string.sub(value, 60)) end
  elseif body and redis.call('HEXISTS', KEYS[8], uid) == 0 then
    local arrival, start_by = struct.unpack('<i8<i8', body, 18 + string.byte(body, 17))
    member = take_from(KEYS[2], uid, start_by, start_by)
      or take_from(KEYS[3], uid, arrival, arrival)
  end
  if member then
    number = tonumber(ARGV[4])
    redis.call('HSET', KEYS[4], uid, string.sub(member, 1, 58) .. 'w' .. ARGV[4])
    redis.call('HINCRBY', KEYS[5], 'q' .. string.sub(member, 49, 49), -1)
    redis.call('HINCRBY', KEYS[5], 'away', 1)
    held_some = true
  end
  numbers[#numbers + 1] = number
end
return {held_some and registered(ARGV[2], ARGV[1], ARGV[3]) or '', numbers}
)lua";

// cancel: ends a task that waits, as a worker would with this result; else notes that it is given
// up.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 delayed, 5 counts, 6 attempts, 7 cancelled, 8 results,
//      9 results_age, 10 replies of the holder that enqueued it, 11 askers
// ARGV 1 uid, 2 its arrival, 3 its start-by, 4 the result's record, 5 digest to keep it or empty,
//      6 end of the keeping, 7 how long replies wait for their holder (ms), 8 what the key of a
//      holder's replies begins with
// Returns 1 when it is ended, 0 when somebody holds it, -1 when it is gone.
inline constexpr std::string_view cancel = R"lua(
local tasks, counts, uid, record = KEYS[1], KEYS[5], ARGV[1], ARGV[4]
if redis.call('HEXISTS', tasks, uid) == 0 then return -1 end
local function add(field, n) redis.call('HINCRBY', counts, field, n) end
local member = take_from(KEYS[2], uid, ARGV[3], ARGV[3])
  or take_from(KEYS[3], uid, ARGV[2], ARGV[2])
local field = member and 'q' .. string.sub(member, 49, 49)
if not member then
  member = take_from(KEYS[4], uid, '-inf', '+inf')
  field = 'delayed'
end
if not member then
  redis.call('HSET', KEYS[7], uid, record)
  return 0
end
add(field, -1)
add('bytes', -tonumber(string.sub(member, 50, 57)))
redis.call('HDEL', tasks, uid)
redis.call('HDEL', KEYS[6], uid)
redis.call('HDEL', KEYS[7], uid)
if ARGV[5] ~= '' then
  local value = ARGV[6] .. ARGV[5] .. record
  add('result_bytes', #value - redis.call('HSTRLEN', KEYS[8], uid))
  redis.call('HSET', KEYS[8], uid, value)
  redis.call('ZADD', KEYS[9], ARGV[6], uid)
end
local function reply(key)
  redis.call('XADD', key, '*', 'r', record)
  redis.call('PEXPIRE', key, ARGV[7])
end
reply(KEYS[10])
for name in string.gmatch(redis.call('HGET', KEYS[11], uid) or '', '[^\n]+') do
  reply(ARGV[8] .. name)
end
redis.call('HDEL', KEYS[11], uid)
return 1
)lua";

// The dead set: `dead`, its order `dead_age`, and in `counts` how many bytes it has. A fogctl that
// does not count them may have changed it since: `dead_mark`, how many they were and which the
// newest, tells, and then they are summed up anew.
inline constexpr std::string_view dead_set = R"lua(
local function dead_mark()
  local newest = redis.call('ZREVRANGE', dead_age, 0, 0)[1] or ''
  return redis.call('ZCARD', dead_age) .. ' ' .. redis.call('HLEN', dead) .. ' ' .. newest
end
local function sum_of_dead()
  local known = redis.call('HMGET', counts, 'dead_bytes', 'dead_mark')
  local bytes = tonumber(known[1])
  if bytes and known[2] == dead_mark() then return bytes, true end
  local uids = redis.call('ZRANGE', dead_age, 0, -1)
  bytes = 0
  for i = 1, #uids do bytes = bytes + redis.call('HSTRLEN', dead, uids[i]) end
  return bytes, false
end
local function note_dead(bytes)
  redis.call('HSET', counts, 'dead_bytes', bytes, 'dead_mark', dead_mark())
end
-- Returns by how many bytes the sum is less.
local function drop_dead(uid)
  local size = redis.call('HSTRLEN', dead, uid)
  redis.call('HDEL', dead, uid)
  return redis.call('ZREM', dead_age, uid) * size
end
-- Returns the sum that is left, and how many it dropped.
local function drop_eldest_dead(bytes, most, most_bytes, at_most)
  local n, dropped = redis.call('ZCARD', dead_age), 0
  while n > 0 and dropped < at_most and (n > most or bytes > most_bytes) do
    bytes = bytes - drop_dead(redis.call('ZRANGE', dead_age, 0, 0)[1])
    n, dropped = n - 1, dropped + 1
  end
  return bytes, dropped
end
)lua";

// bury: removes a dead task.
// KEYS 1 dead, 2 dead_age, 3 counts
// ARGV 1 uid, 2 when it died, or empty whenever that was
// Returns 1 when it was there.
inline constexpr std::string_view bury = R"lua(
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value or (ARGV[2] ~= '' and string.sub(value, 1, 16) ~= ARGV[2]) then return 0 end
local bytes = sum_of_dead()
note_dead(bytes - drop_dead(ARGV[1]))
return 1
)lua";

// bury_surplus: removes the eldest dead tasks where there are more than may be, some at a time: a
// fogctl with other bounds, or without, may have kept them. Notes how many bytes are left.
// KEYS 1 dead, 2 dead_age, 3 counts
// ARGV 1 most tasks, 2 most bytes, 3 how many to remove at most
// Returns how many it removed.
inline constexpr std::string_view bury_surplus = R"lua(
local bytes, is_known = sum_of_dead()
local left, dropped =
  drop_eldest_dead(bytes, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
-- Last: a full Redis takes what makes room, and after that this as well.
if dropped > 0 or not is_known then note_dead(left) end
return dropped
)lua";

// forget: drops a kept result.
// KEYS 1 results, 2 results_age, 3 counts
// ARGV uid
// Returns how many bytes it took.
inline constexpr std::string_view forget = R"lua(
local size = redis.call('HSTRLEN', KEYS[1], ARGV[1])
if size == 0 then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HINCRBY', KEYS[3], 'result_bytes', -size)
return size
)lua";

// census: whether each task has one place.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 delayed, 5 lives, 6 lost
// ARGV 1 what the key of a holder's tasks begins with. These keys are read here and now: a list
// that
//      was made before would lack who came since.
// Returns how many more tasks there are than places.
inline constexpr std::string_view census = R"lua(
local places = 0
for i = 2, 4 do places = places + redis.call('ZCARD', KEYS[i]) end
local holders, lost = redis.call('HKEYS', KEYS[5]), redis.call('HKEYS', KEYS[6])
for i = 1, #holders do places = places + redis.call('HLEN', ARGV[1] .. holders[i]) end
for i = 1, #lost do places = places + redis.call('HLEN', lost[i]) end
return redis.call('HLEN', KEYS[1]) - places
)lua";

// adopt: queues a task that has no place.
// KEYS 1 to 6 as for census, 7 counts, 8 wake
// ARGV 1 as for census, 2 uid, 3 its arrival, 4 its start-by, 5 its ticket
// Returns 1 when it did, 0 when the task is gone or has a place.
inline constexpr std::string_view adopt = R"lua(
local uid = ARGV[2]
if redis.call('HEXISTS', KEYS[1], uid) == 0 then return 0 end
local function is_in(key, least, most)
  local found = redis.call('ZRANGEBYSCORE', key, least, most)
  for i = 1, #found do
    if string.sub(found[i], 59) == uid then return true end
  end
  return false
end
if is_in(KEYS[2], ARGV[4], ARGV[4]) or is_in(KEYS[3], ARGV[3], ARGV[3])
  or is_in(KEYS[4], '-inf', '+inf') then return 0 end
local holders, lost = redis.call('HKEYS', KEYS[5]), redis.call('HKEYS', KEYS[6])
for i = 1, #holders do
  if redis.call('HEXISTS', ARGV[1] .. holders[i], uid) == 1 then return 0 end
end
for i = 1, #lost do
  if redis.call('HEXISTS', lost[i], uid) == 1 then return 0 end
end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5] .. uid)
redis.call('HINCRBY', KEYS[7], 'q' .. string.sub(ARGV[5], 49, 49), 1)
redis.call('XADD', KEYS[8], 'MAXLEN', 1, '*', 'w', 1)
return 1
)lua";

}  // namespace fogctl::lua
