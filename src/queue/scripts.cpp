#include "queue/scripts.hpp"

#include <string>

#include "queue/lease_scripts.hpp"
#include "queue/rare_scripts.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {
namespace {

// Puts tasks that were held back into the queue, as they were.
constexpr std::string_view requeue = R"lua(
local function requeue(uids, values)
  if #uids == 0 then return end
  local was_empty = queue_is_empty()
  local members, change = {}, {}
  for i = 1, #uids do
    local value = values[i]
    members[2 * i - 1] = string.sub(value, 29, 44)
    members[2 * i] = string.sub(value, 1, 58) .. uids[i]
    local class = string.sub(value, 49, 49)
    local from = string.sub(value, 59, 59) == 'w' and 'away' or 'l' .. class
    change[from] = (change[from] or 0) - 1
    change['q' .. class] = (change['q' .. class] or 0) + 1
  end
  sliced('ZADD', ready, members)
  for field, n in pairs(change) do add(field, n) end
  if was_empty then wake_waiting() end
end
)lua";

// started: marks held tasks as begun.
// KEYS 1 held of this holder
// ARGV uid, lease number of each
// Returns how many it marked; superseded ones are skipped.
constexpr std::string_view started = R"lua(
local marked = 0
for i = 1, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[i])
  local flag = value and string.sub(value, 59, 59)
  if (flag == 'l' or flag == 'a') and string.sub(value, 60) == ARGV[i + 1] then
    redis.call('HSET', KEYS[1], ARGV[i], string.sub(value, 1, 58) .. 's' .. ARGV[i + 1])
    marked = marked + 1
  end
end
return marked
)lua";

// extend: renews the holder's lease.
// KEYS 1 holders, 2 lives, 3 workers
// ARGV 1 now, 2 holder, 3 end of the lease, 4 workers
// Returns the life of the holder.
constexpr std::string_view extend = R"lua(
local holders, lives = KEYS[1], KEYS[2]
local life = registered(ARGV[2], ARGV[1], ARGV[3])
redis.call('ZADD', holders, ARGV[3], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
return life
)lua";

// Of finish: keeps those that are dead, see there. What it takes to change the dead set stands in
// its midst, so that no task that ends well pays for it.
constexpr std::string_view keep_dead = R"lua(
local function keep_dead(uids, letters, first_record)
  local dead, dead_age = KEYS[14], KEYS[15]
)lua";
constexpr std::string_view keep_dead_rest = R"lua(
  local most, most_bytes, bytes
  for at = first_record, #ARGV, 5 do
    local i, tries, record = tonumber(ARGV[at]), ARGV[at + 3], ARGV[at + 4]
    if letters[i] == 'd' and tries ~= '' then
      if not bytes then
        -- What is beyond the bounds already grows no more; bury_surplus brings it down.
        bytes = sum_of_dead()
        most = math.max(ARGV[17], redis.call('ZCARD', dead_age))
        most_bytes = math.max(ARGV[18], bytes)
      end
      local head = ARGV[1] .. tries .. string.format('%08d', #record)
      local value = head .. record .. redis.call('HGET', tasks, uids[i])
      bytes = bytes - drop_dead(uids[i])
      if #value <= tonumber(ARGV[18]) then
        redis.call('HSET', dead, uids[i], value)
        redis.call('ZADD', dead_age, ARGV[1], uids[i])
        bytes = bytes + #value
      end
    end
  end
  if bytes then note_dead(drop_eldest_dead(bytes, most, most_bytes, math.huge)) end
end
)lua";

// finish: ends held tasks; keeps and sends their results; then leases as the want says.
// KEYS 1 to 12 as for lease, 13 results_age, 14 dead, 15 dead_age, 16 cancelled, from 17: replies
// of
//      the holders named in ARGV
// ARGV 1 to 12 as for lease, 13 how many tasks, 14 end of the keeping of results, 15 most bytes of
//      kept results, 16 how long replies wait for their holder (ms), 17 most dead tasks, 18 most
//      bytes of them, 19 what the key of a holder's replies begins with: who asked for a task is
//      known here alone; uid, lease number of each task; then, of each that is dead or has a result
//      to keep or to send: its position, digest to keep it or empty, which KEYS to send it to or 0,
//      attempts (8) where it is dead or empty, record. With a '?' behind its lease number a task
//      ends unless others asked for it: then it is put back
// Returns {a letter for each task, life of the holder or '', runs that may have begun of a lone
//      task, bodies leased, position and failed runs of those that have some}
//      d done, c cancelled, s superseded, g gone, r still held: others asked for it, and its record
//      is not there
constexpr std::string_view finish = R"lua(
local results_age, cancelled = KEYS[13], KEYS[16]
local now, total = ARGV[1], tonumber(ARGV[13])
local first_record = 20 + 2 * total
local uids, letters, asked, has_record, given_up, n = {}, {}, {}, {}, {}, 0
for i = 1, total do uids[i] = ARGV[18 + 2 * i] end

local function is_ended(i)
  return letters[i] == 'd' or letters[i] == 'c'
end
local function look_for_askers()
  if redis.call('EXISTS', askers) == 0 then return end
  asked = redis.call('HMGET', askers, unpack(uids))
  for at = first_record, #ARGV, 5 do has_record[tonumber(ARGV[at])] = true end
end
local function drop_held()
  local values = redis.call('HMGET', held, unpack(uids))
  given_up = redis.call('EXISTS', cancelled) == 1 and redis.call('HMGET', cancelled, unpack(uids))
    or {}
  local ended, leased, away, bytes = {}, {0, 0, 0}, 0, 0
  local back, back_values = {}, {}
  for i = 1, total do
    local value, lease = values[i], ARGV[19 + 2 * i]
    local is_held = value and string.sub(value, 60) == lease
    if value and not is_held and string.sub(value, 60) .. '?' == lease then
      is_held = not asked[i]
      if asked[i] then back[#back + 1], back_values[#back + 1] = uids[i], value end
    end
    if is_held and asked[i] and not has_record[i] then
      letters[i] = 'r'
    elseif is_held then
      letters[i] = 'd'
      n = n + 1
      ended[n] = uids[i]
      bytes = bytes + tonumber(string.sub(value, 50, 57))
      if string.byte(value, 59) == 119 then
        away = away + 1
      else
        if given_up[i] then letters[i] = 'c' end
        local class = string.byte(value, 49) - 47
        leased[class] = leased[class] + 1
      end
    else
      letters[i] = redis.call('HEXISTS', tasks, uids[i]) == 1 and 's' or 'g'
    end
  end
  if #back > 0 then redis.call('HDEL', held, unpack(back)) end
  requeue(back, back_values)
  if n == 0 then return ended end
  redis.call('HDEL', held, unpack(ended))
  add_classes('l', leased, -1)
  add('away', -away)
  add('bytes', -bytes)
  return ended
end
local function forget(ended)
  redis.call('HDEL', tasks, unpack(ended))
  if #given_up > 0 then redis.call('HDEL', cancelled, unpack(ended)) end
  if redis.call('EXISTS', attempts) == 1 then redis.call('HDEL', attempts, unpack(ended)) end
  if #asked > 0 then redis.call('HDEL', askers, unpack(ended)) end
end
local function keep_and_send()
  local kept, replies = 0, {}
  local function reply(key, record)
    local list = replies[key] or {}
    list[#list + 1], list[#list + 2] = 'r', record
    replies[key] = list
  end
  for at = first_record, #ARGV, 5 do
    local i, digest = tonumber(ARGV[at]), ARGV[at + 1]
    local key, record = tonumber(ARGV[at + 2]), ARGV[at + 4]
    if letters[i] == 'c' then record = given_up[i] end
    if is_ended(i) and digest ~= '' then
      kept = kept + 1
      local value = ARGV[14] .. digest .. record
      add('result_bytes', #value - redis.call('HSTRLEN', results, uids[i]))
      redis.call('HSET', results, uids[i], value)
      redis.call('ZADD', results_age, ARGV[14], uids[i])
    end
    if is_ended(i) and key > 0 then reply(KEYS[key], record) end
    if is_ended(i) and asked[i] then
      for name in string.gmatch(asked[i], '[^\n]+') do reply(ARGV[19] .. name, record) end
    end
  end
  for key, list in pairs(replies) do
    redis.call('XADD', key, '*', unpack(list))
    redis.call('PEXPIRE', key, ARGV[16])
  end
  return kept
end
local function drop_results(steps)
  local over = redis.call('HGET', counts, 'result_bytes') - ARGV[15]
  local eldest = redis.call('ZRANGE', results_age, 0, steps - 1, 'WITHSCORES')
  for i = 1, #eldest, 2 do
    if over <= 0 and tonumber(eldest[i + 1]) >= tonumber(now) then break end
    local size = redis.call('HSTRLEN', results, eldest[i])
    over = over - size
    add('result_bytes', -size)
    redis.call('HDEL', results, eldest[i])
    redis.call('ZREM', results_age, eldest[i])
  end
end

look_for_askers()
local ended = drop_held()
if n > 0 then
  if first_record <= #ARGV then keep_dead(uids, letters, first_record) end
  forget(ended)
  local kept = first_record <= #ARGV and keep_and_send() or 0
  if kept > 0 then drop_results(2 * kept + 16) end
end
local bodies, tries, failed = {}, 0, {}
if tonumber(ARGV[7]) > 0 and redis.call('EXISTS', ready, oldest, delayed) > 0 then
  bodies, tries, failed = lease_queued(5, now, ARGV[4])
end
local life = #bodies > 0 and registered(ARGV[2], now, ARGV[3]) or ''
return {table.concat(letters), life, tries, bodies, failed}
)lua";

// give_back: puts held tasks back into the queue.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 held of this holder, 5 counts, 6 wake
// ARGV uid, lease number of each
// Returns how many it put back; superseded ones are skipped.
constexpr std::string_view give_back = R"lua(
local uids, values = {}, {}
for i = 1, #ARGV, 2 do
  local value = redis.call('HGET', held, ARGV[i])
  if value and string.sub(value, 60) == ARGV[i + 1] then
    redis.call('HDEL', held, ARGV[i])
    uids[#uids + 1], values[#values + 1] = ARGV[i], value
  end
end
requeue(uids, values)
return #uids
)lua";

// overdue: whose leases have run out. They can be renewed only while the server is there: when
// nobody has called this for more than a third of a lease, all have a whole one from now on. So has
// one that lives and has no lease, as where that key was lost. Where the server's clock went back,
// as with a replica that takes over, what is to come goes back as well.
// KEYS 1 holders, 2 counts, 3 lives, 4 delayed
// ARGV 1 now, 2 length of a lease
// Returns holders, 100 at most.
constexpr std::string_view overdue = R"lua(
local now, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local clock, known = time[1] * 1000000 + time[2], redis.call('HGET', KEYS[2], 'clock')
local step = clock - (known or 0)
local is_set_back = known and step < -lease / 10
if step > lease / 20 or is_set_back then
  redis.call('HSET', KEYS[2], 'clock', string.format('%.0f', clock))
end
if is_set_back then
  for _, key in ipairs({KEYS[1], KEYS[4]}) do
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZINCRBY', key, string.format('%.0f', step), member)
    end
  end
  return {} -- now may be by the clock as it was
end
local since = now - (redis.call('HGET', KEYS[2], 'looked_at') or now - lease / 4)
-- Not each time: where every change is written to the disk at once, this is one.
if since > lease / 20 or since < -lease then redis.call('HSET', KEYS[2], 'looked_at', ARGV[1]) end
if since > lease / 3 then
  for _, holder in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    redis.call('ZADD', KEYS[1], 'XX', 'GT', string.format('%016.0f', now + lease), holder)
  end
end
if redis.call('HLEN', KEYS[3]) > redis.call('ZCARD', KEYS[1]) then
  for _, holder in ipairs(redis.call('HKEYS', KEYS[3])) do
    redis.call('ZADD', KEYS[1], 'NX', string.format('%016.0f', now + lease), holder)
  end
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, 100)
)lua";

// evict: ends a holder's lease at once, whatever it holds; put_back does the rest in steps.
// KEYS 1 holders, 2 lives, 3 workers, 4 lost, 5 held of the holder, 6 lost_tasks of it and its life
// ARGV 1 now, or empty to end a lease that has not run out, 2 holder, 3 its life, 4 why
// Returns 1 when its tasks are to be put back, else 0: it holds none, or it lives.
constexpr std::string_view evict = R"lua(
local holder = ARGV[2]
if redis.call('HGET', KEYS[2], holder) ~= ARGV[3] then return 0 end
local ends = redis.call('ZSCORE', KEYS[1], holder)
if ARGV[1] ~= '' and ends and tonumber(ends) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZREM', KEYS[1], holder)
redis.call('HDEL', KEYS[2], holder)
redis.call('HDEL', KEYS[3], holder)
if redis.call('EXISTS', KEYS[5]) == 0 then return 0 end
redis.call('RENAME', KEYS[5], KEYS[6])
redis.call('HSET', KEYS[4], KEYS[6], ARGV[4])
return 1
)lua";

// put_back: puts some of what an evicted holder held back into the queue. Where its lease had run
// out, a run that may have begun counts, and every task that was leased comes alone from then on.
// KEYS 1 tasks, 2 ready, 3 oldest, 4 lost_tasks, 5 counts, 6 wake, 7 attempts, 8 lost
// ARGV 1 how many
// Returns how many it put back; 0 when there is no more.
constexpr std::string_view put_back = R"lua(
local why = redis.call('HGET', KEYS[8], held)
if not why then return 0 end
local some = redis.call('HRANDFIELD', held, ARGV[1], 'WITHVALUES')
if #some == 0 then
  redis.call('HDEL', KEYS[8], held)
  return 0
end
local uids, values = {}, {}
for i = 1, #some, 2 do
  local uid, value = some[i], some[i + 1]
  local flag = string.sub(value, 59, 59)
  if why == 'expired' and flag ~= 'w' then
    redis.call('HINCRBY', KEYS[7], uid, flag == 'l' and 0 or 1)
  end
  uids[#uids + 1], values[#values + 1] = uid, value
end
redis.call('HDEL', held, unpack(uids))
requeue(uids, values)
return #uids
)lua";

constexpr std::string_view task_keys = R"lua(
local tasks, ready, oldest, held, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
)lua";
constexpr std::string_view lease_keys = R"lua(
local attempts, holders, lives, wake = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local results, askers, delayed = KEYS[10], KEYS[11], KEYS[12]
)lua";
constexpr std::string_view dead_keys = "local dead, dead_age, counts = KEYS[1], KEYS[2], KEYS[3]\n";
constexpr std::string_view withdraw_keys = "local holders, lives = KEYS[6], KEYS[7]\n";
constexpr std::string_view wake_key = "local wake = KEYS[6]\n";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

}  // namespace

std::string_view source_of(Script script) {
  static const std::array<std::string, script_count> sources = {
      joined({task_keys, lease_keys, lua::sliced, lua::registered, lua::lease_queued,
              "local most_askers = " + std::to_string(most_askers) + "\n", lua::enqueue_preparation,
              lua::enqueue}),
      joined({task_keys, lease_keys, lua::sliced, lua::registered, lua::lease_queued, lua::lease}),
      joined({started}),
      joined({"local holders, lives = KEYS[1], KEYS[2]\n", lua::registered, extend}),
      joined({task_keys, lease_keys, lua::sliced, requeue, lua::registered, lua::lease_queued,
              keep_dead, lua::dead_set, keep_dead_rest, finish}),
      joined({lua::retry}),
      joined({withdraw_keys, lua::registered, lua::take_from, lua::withdraw}),
      joined({lua::take_from, lua::cancel}),
      joined({task_keys, wake_key, lua::sliced, requeue, give_back}),
      joined({overdue}),
      joined({evict}),
      joined({task_keys, wake_key, lua::sliced, requeue, put_back}),
      joined({lua::forget}),
      joined({dead_keys, lua::dead_set, lua::bury}),
      joined({dead_keys, lua::dead_set, lua::bury_surplus}),
      joined({lua::census}),
      joined({lua::adopt}),
  };
  return sources[static_cast<std::size_t>(script)];
}

}  // namespace fogctl
