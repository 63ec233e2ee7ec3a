// The Lua of enqueue and lease, and the parts that other scripts have in common with them. For
// scripts.cpp alone, which joins and explains them.
#pragma once

#include <string_view>

namespace fogctl::lua {

// Lua's unpack holds fewer than 8000 values.
inline constexpr std::string_view sliced = R"lua(
local function sliced(command, key, list)
  for i = 1, #list, 4000 do
    redis.call(command, key, unpack(list, i, math.min(i + 3999, #list)))
  end
end
local function add(field, n)
  if n ~= 0 then redis.call('HINCRBY', counts, field, n) end
end
local function add_classes(state, n, sign)
  for class = 1, 3 do add(state .. class - 1, sign * n[class]) end
end
local function queue_is_empty()
  return redis.call('EXISTS', ready, oldest) == 0
end
local function wake_waiting()
  redis.call('XADD', wake, 'MAXLEN', 1, '*', 'w', 1)
end
)lua";

// Notes that the holder lives, and returns since when. Called by whoever lets it hold something,
// so that this can be recovered even if the holder never renews its lease.
inline constexpr std::string_view registered = R"lua(
local function registered(holder, now, expiry)
  local life = redis.call('HGET', lives, holder)
  if not life then
    redis.call('HSET', lives, holder, now)
    redis.call('ZADD', holders, expiry, holder)
    return now
  end
  local ends = redis.call('ZSCORE', holders, holder)
  if not ends or tonumber(ends) < tonumber(now) then redis.call('ZADD', holders, expiry, holder) end
  return life
end
)lua";

// Leases as the want in ARGV[w] to ARGV[w + 7] says: order, idle, at_most, ahead, the estimates of
// the three classes, whether as away. Delayed tasks whose time has come are queued first. On time
// means start-by >= now. Those that are late (by fifo: all) are moved to `oldest` first, 5000 a
// call at most, so that no call takes long; when more than that become late between two calls, the
// rest is in order of start-by until its turn comes to be moved. A task in `attempts` comes alone;
// others are woken for what is left. Returns the bodies, how many runs of the lone one may have
// begun, and for each task with failed runs its position and how many.
inline constexpr std::string_view lease_queued = R"lua(
local function age(first_in_time)
  local late = redis.call('ZRANGEBYSCORE', ready, '-inf', first_in_time, 'LIMIT', 0, 5000)
  if #late == 0 then return false end
  local aged = {}
  for i = 1, #late do
    aged[2 * i - 1], aged[2 * i] = string.sub(late[i], 1, 16), late[i]
  end
  redis.call('ZREMRANGEBYRANK', ready, 0, #late - 1)
  sliced('ZADD', oldest, aged)
  return true
end

local function end_delays(now)
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, 500)
  if #due == 0 then return end
  local members, n = {}, {0, 0, 0}
  for i = 1, #due do
    members[2 * i - 1], members[2 * i] = string.sub(due[i], 29, 44), due[i]
    local class = string.byte(due[i], 49) - 47
    n[class] = n[class] + 1
  end
  redis.call('ZREMRANGEBYRANK', delayed, 0, #due - 1)
  redis.call('ZADD', ready, unpack(members))
  add_classes('q', n, 1)
  add('delayed', -#due)
end

local function lease_queued(w, now, number)
  local as_away = ARGV[w + 7] == '1'
  if not as_away and redis.call('HEXISTS', counts, 'paused') == 1 then return {}, 0, {} end
  end_delays(now)
  local idle, at_most = tonumber(ARGV[w + 1]), tonumber(ARGV[w + 2])
  local ahead, sum = tonumber(ARGV[w + 3]), 0
  local estimate = {tonumber(ARGV[w + 4]), tonumber(ARGV[w + 5]), tonumber(ARGV[w + 6])}
  local suspects = redis.call('EXISTS', attempts) == 1
  local uids, tickets, class_counts, taken = {}, {}, {0, 0, 0}, 0
  local tries, full, room = 0, false, math.max(idle, 16)
  local first_in_time = ARGV[w] == 'fifo' and '+inf' or '(' .. now
  age(first_in_time)
  local by_age = ARGV[w] == 'fifo'
  while taken < at_most and not full do
    local most = math.min(at_most - taken, room)
    local found
    if by_age then
      found = redis.call('ZRANGE', oldest, 0, most - 1)
    else
      found = redis.call('ZRANGEBYSCORE', ready, now, '+inf', 'LIMIT', 0, most)
    end
    local n = 0
    for i = 1, #found do
      if taken >= idle and sum >= ahead then
        full = true
        break
      end
      local member = found[i]
      local uid = string.sub(member, 59)
      local suspect = suspects and redis.call('HGET', attempts, uid)
      if suspect then
        full = true
        wake_waiting()
        if taken > 0 then break end
        tries = tonumber(suspect)
      end
      local class = string.byte(member, 49) - 47
      taken, n, sum = taken + 1, n + 1, sum + estimate[class]
      uids[taken], tickets[taken] = uid, string.sub(member, 1, 58)
      class_counts[class] = class_counts[class] + 1
      if suspect then break end
    end
    if n > 0 then
      local rank = by_age and 0 or redis.call('ZCOUNT', ready, '-inf', first_in_time)
      redis.call('ZREMRANGEBYRANK', by_age and oldest or ready, rank, rank + n - 1)
    end
    if #found < most then
      if by_age and not age(first_in_time) then break end
      by_age = true
    end
    room = math.min(room * 4, 2000)
  end
  if taken == 0 then return {}, 0, {} end

  -- A place whose task is gone is dropped.
  local mark = (as_away and 'w' or taken == 1 and 'a' or 'l') .. number
  local values, bodies, failed, gone, n = {}, {}, {}, {0, 0, 0}, 0
  for from = 1, taken, 4000 do
    local some = redis.call('HMGET', tasks, unpack(uids, from, math.min(from + 3999, taken)))
    for k = 1, #some do
      local i = from + k - 1
      if some[k] then
        n = n + 1
        bodies[n], values[2 * n - 1], values[2 * n] = some[k], uids[i], tickets[i] .. mark
        local failures = tonumber(string.sub(tickets[i], 17, 18))
        if failures > 0 then failed[#failed + 1], failed[#failed + 2] = n, failures end
      else
        local class = string.byte(tickets[i], 49) - 47
        gone[class] = gone[class] + 1
      end
    end
  end
  add_classes('q', class_counts, -1)
  if n == 0 then return {}, 0, {} end
  sliced('HSET', held, values)
  if as_away then
    add('away', n)
  else
    add_classes('l', class_counts, 1)
    add_classes('l', gone, -1)
  end
  return bodies, tries, failed
end
)lua";

// enqueue: adds tasks, and leases as the want says.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 held of this holder, 5 counts, 6 attempts, 7 holders, 8 lives,
//      9 wake, 10 results, 11 askers, 12 delayed
// ARGV 1 now, 2 holder, 3 end of its lease if it is new, 4 lease number, 5 to 12 want, 13 most
//      tasks, 14 most bytes, 15 bytes of this batch, 16 whether a uid was chosen (1 or 0), 17 most
//      urgent first: positions of 4 digits, or empty when the batch is in that order, 18 how many
//      of these the want takes when nothing else is queued, 19 to 21 tasks by class, 22 how many
//      are away; from 23: uid, body of each task; then: what held is to say of each. No uid twice
// Returns {life of the holder or '', one letter for each task or for all, runs that may have begun
//      of the lone task in bodies, position and payload of the letters that have one, bodies
//      leased, position and failed runs of those that have some} a accepted; l leased; h away
//      already, payload: lease number; d duplicate; k done, payload: kept; c conflict; o overloaded
// With nothing queued, what the want takes goes straight to held, and its body does not come back.
inline constexpr std::string_view enqueue_preparation = R"lua(
local now, holder, number = ARGV[1], ARGV[2], ARGV[4]
local total = (#ARGV - 22) / 3
local uids, letters, payloads = {}, {}, {}
for i = 1, total do uids[i] = ARGV[21 + 2 * i] end
local values_at = 22 + 2 * total
local known = redis.call('HMGET', tasks, unpack(uids))
local kept = ARGV[16] == '1' and redis.call('EXISTS', results) == 1
  and redis.call('HMGET', results, unpack(uids))
local room = ARGV[13] - redis.call('HLEN', tasks)
local sums = redis.call('HMGET', counts, 'bytes', 'paused')
local byte_room = ARGV[14] - (sums[1] or 0)
local roomy = room >= total and byte_room >= tonumber(ARGV[15])
local was_empty = queue_is_empty()
local batch = nil
local by_age = ARGV[5] == 'fifo'
local members, values, last_member, last_value = {}, {}, 0, 0
local new_bytes, away, queued, leased = 0, 0, {0, 0, 0}, {0, 0, 0}

local function queue(i, ticket)
  local score = by_age and string.sub(ticket, 1, 16) or string.sub(ticket, 29, 44)
  members[last_member + 1], members[last_member + 2] = score, ticket .. uids[i]
  last_member = last_member + 2
end
local function queue_new(i)
  batch = batch or string.format('%010d', redis.call('HINCRBY', counts, 'batches', 1))
  local value = ARGV[values_at + i]
  queue(i, string.sub(value, 1, 18) .. batch .. string.sub(value, 29, 58))
end
local function hold(i, flag)
  local value = ARGV[values_at + i]
  if flag then value = string.sub(value, 1, 58) .. flag .. number end
  values[last_value + 1], values[last_value + 2] = uids[i], value
  last_value = last_value + 2
end
local function count(n, i)
  local class = string.byte(ARGV[values_at + i], 49) - 47
  n[class] = n[class] + 1
end

local function ask(uid)
  local names = redis.call('HGET', askers, uid)
  if names and string.find('\n' .. names .. '\n', '\n' .. holder .. '\n', 1, true) then
    return true
  end
  local _, others = string.gsub(names or '', '\n', '\n')
  if names and others + 1 >= most_askers then return false end
  redis.call('HSET', askers, uid, names and names .. '\n' .. holder or holder)
  return true
end
local function met_again(i, old, body, is_away)
  if string.sub(old, 1, 8) ~= string.sub(body, 1, 8) then return 'c' end
  local last = 17 + string.byte(body, 17)
  if string.sub(old, 1, last) ~= string.sub(body, 1, last) then
    local is_own = string.sub(old, 18, 17 + string.byte(old, 17)) == holder
    return (is_own or ask(uids[i])) and 'd' or 'o'
  end
  local value = redis.call('HGET', held, uids[i])
  if not value then return 'a' end
  local flag = string.sub(value, 59, 59)
  if flag == 'w' and is_away then
    payloads[#payloads + 1], payloads[#payloads + 2] = i, string.sub(value, 60)
    return 'h'
  end
  if flag == 's' or flag == 'w' then return 'd' end
  redis.call('HDEL', held, uids[i])
  redis.call('HINCRBY', counts, 'l' .. string.sub(value, 49, 49), -1)
  queue(i, string.sub(value, 1, 58))
  count(queued, i)
  return 'a'
end
local function enter(i, fresh)
  local body, value = ARGV[22 + 2 * i], ARGV[values_at + i]
  local mode = string.byte(value, 58)
  local is_away = mode >= 119
  if known[i] then return met_again(i, known[i], body, is_away) end
  local result = kept and (mode == 99 or mode == 120) and kept[i]
  if result and tonumber(string.sub(result, 1, 16)) >= tonumber(now) then
    if string.sub(result, 17, 24) ~= string.sub(body, 1, 8) then return 'c' end
    payloads[#payloads + 1], payloads[#payloads + 2] = i, result
    return 'k'
  end
  local size = tonumber(string.sub(value, 50, 57))
  -- What goes elsewhere makes room here: it may be half of what a full queue holds.
  local more = is_away and 1 or 0
  if room + more * ARGV[13] < 1 or byte_room + more * ARGV[14] < size then return 'o' end
  room, byte_room, new_bytes = room - 1, byte_room - size, new_bytes + size
  local n = #fresh
  fresh[n + 1], fresh[n + 2] = uids[i], body
  if not is_away then return 'n' end
  hold(i)
  away = away + 1
  return 'l'
end
)lua";

inline constexpr std::string_view enqueue = R"lua(
local plain = roomy and not kept and ARGV[22] == '0'
for i = 1, total do
  if known[i] then
    plain = false
    break
  end
end
local straight = was_empty and tonumber(ARGV[7]) > 0 and not sums[2]
local bodies, tries, failed, letter = {}, 0, {}, nil
if plain then
  -- Nearly always: new tasks, all of them to be held at once, or all of them queued.
  redis.call('HSET', tasks, unpack(ARGV, 23, values_at))
  new_bytes = tonumber(ARGV[15])
  local all = {tonumber(ARGV[19]), tonumber(ARGV[20]), tonumber(ARGV[21])}
  if straight and tonumber(ARGV[18]) >= total then
    for i = 1, total do hold(i) end
    leased, letter = all, 'l'
  elseif not straight then
    for i = 1, total do queue_new(i) end
    queued, letter = all, 'a'
  else
    for i = 1, total do letters[i] = 'n' end
  end
else
  local fresh = {}
  for i = 1, total do letters[i] = enter(i, fresh) end
  if #fresh > 0 then redis.call('HSET', tasks, unpack(fresh)) end
  straight = straight and last_member == 0
end
if not letter then
  if straight then
    local chosen, most = {}, tonumber(ARGV[18])
    for k = 1, total do
      local i = ARGV[17] == '' and k or tonumber(string.sub(ARGV[17], 4 * k - 3, 4 * k))
      if letters[i] == 'n' and #chosen < most then chosen[#chosen + 1] = i end
    end
    for k = 1, #chosen do
      hold(chosen[k], #chosen == 1 and 'a')
      count(leased, chosen[k])
      letters[chosen[k]] = 'l'
    end
  end
  for i = 1, total do
    if letters[i] == 'n' then
      queue_new(i)
      count(queued, i)
      letters[i] = 'a'
    end
  end
end
if last_member > 0 then redis.call('ZADD', by_age and oldest or ready, unpack(members)) end
if last_value > 0 then redis.call('HSET', held, unpack(values)) end
add_classes('q', queued, 1)
add_classes('l', leased, 1)
add('away', away)
add('bytes', new_bytes)
if tonumber(ARGV[7]) > 0 and not straight then
  bodies, tries, failed = lease_queued(5, now, number)
end
if was_empty and last_member > 0 and (#bodies == 0 or not queue_is_empty()) then wake_waiting() end
local took = last_value > 0 or #bodies > 0
return {took and registered(holder, now, ARGV[3]) or '', letter or table.concat(letters), tries,
  payloads, bodies, failed}
)lua";

// lease: takes queued tasks as the want says.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 held of this holder, 5 counts, 6 attempts, 7 holders, 8 lives,
//      9 wake, 10 and 11 as for enqueue, unused, 12 delayed
// ARGV 1 now, 2 holder, 3 end of its lease if it is new, 4 lease number, 5 to 12 want
// Returns {life of the holder or '', runs that may have begun of a lone task, bodies, position and
//      failed runs of those that have some}.
inline constexpr std::string_view lease = R"lua(
local bodies, tries, failed = lease_queued(5, ARGV[1], ARGV[4])
return {#bodies > 0 and registered(ARGV[2], ARGV[1], ARGV[3]) or '', tries, bodies, failed}
)lua";

}  // namespace fogctl::lua
