#!lua name=livesale
-- The commit: one atomic act on one shelf. COMMIT.md beside this file says why each step is where it is.
--
-- KEYS 1 {shelf}:seq   position of the shelf's last log entry
--      2 {shelf}:log   stream, entry ids are SEQ-0
--      3 {shelf}:r     hash: record -> "VERSION:bytes"; a record's version is the seq of the commit that wrote it
--      4 {shelf}:c     hash: counter -> integer; a counter at zero has no field
--      5 {shelf}:once:…  what this Decision (or this idempotency key) answered, kept 24 h
--      6 {shelf}:asleep  set while the shelf may be missing from {livesale}:active (see active.py)
--      7… {shelf}:m:INDEX  sorted sets, in the order of `indexes`
-- ARGV 1 the Decision, msgpack: {id, expect, counters, puts, drops, indexes, marks, not_before, once, events}
--
-- Answers {"ok", seq, at} · {"replay", value} · {"reused"} · {"conflict", name…} · {"short", list}
--      · {"early", at} · {"asleep", token} · error "INVALID …" (nothing was written)

local MOST_WRITES = 500
local MOST_EVENTS_BYTES = 262144
local MOST_RECORD_BYTES = 262144
local MOST_NAME_BYTES = 512
local ONCE_MS = 86400000
local MOST = 4503599627370496 -- 2^52: far below where Lua's doubles lose whole numbers

local function refuse(why) error({err = 'INVALID ' .. why}, 0) end

local function name_of(value, what)
  if type(value) ~= 'string' or #value == 0 or #value > MOST_NAME_BYTES then refuse(what .. ' is not a name') end
  return value
end

local function bytes_of(value, most, what)
  if type(value) ~= 'string' or #value > most then refuse(what .. ' is not at most ' .. most .. ' bytes') end
  return value
end

local function whole(value, what)
  if type(value) ~= 'number' or value % 1 ~= 0 or value > MOST or value < -MOST then
    refuse(what .. ' is not a whole number')
  end
  return value
end

local function list_of(value, what)
  if type(value) ~= 'table' then refuse(what .. ' is not a list') end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  if count ~= #value then refuse(what .. ' is not a list') end
  return value
end

local function tuple_of(value, size, what)
  if type(value) ~= 'table' or #value > size then refuse(what .. ' is not a row of ' .. size) end
  return value
end

local function optional(value) if value == nil or value == false then return nil end return value end

-- Everything about the Decision that can be known without reading the shelf.
local function validate(d, keys)
  if type(d) ~= 'table' then refuse('the decision is not a map') end
  name_of(d.id, 'id')
  local writes = 0
  for _, row in ipairs(list_of(d.expect, 'expect')) do
    tuple_of(row, 2, 'expect'); name_of(row[1], 'expect'); whole(row[2], 'expect version')
  end
  for _, row in ipairs(list_of(d.counters, 'counters')) do
    tuple_of(row, 4, 'counter'); name_of(row[1], 'counter'); whole(row[2], 'delta')
    if optional(row[3]) then whole(row[3], 'floor') end
    if optional(row[4]) then whole(row[4], 'ceiling') end
    writes = writes + 1
  end
  local seen = {}
  for _, row in ipairs(list_of(d.puts, 'puts')) do
    tuple_of(row, 3, 'put')
    if seen[name_of(row[1], 'record')] then refuse('record written twice') end
    seen[row[1]] = true
    if whole(row[2], 'version') < 0 then refuse('version below zero') end
    bytes_of(row[3], MOST_RECORD_BYTES, 'record'); writes = writes + 1
  end
  for _, row in ipairs(list_of(d.drops, 'drops')) do
    tuple_of(row, 2, 'drop')
    if seen[name_of(row[1], 'drop')] then refuse('record written twice') end
    seen[row[1]] = true
    if whole(row[2], 'drop version') < 1 then refuse('a drop names the version it removes') end
    writes = writes + 1
  end
  if #list_of(d.indexes, 'indexes') ~= #keys - 6 then refuse('indexes do not match the keys') end
  for _, index in ipairs(d.indexes) do name_of(index, 'index') end
  for _, row in ipairs(list_of(d.marks, 'marks')) do
    tuple_of(row, 3, 'mark')
    local index = whole(row[1], 'mark index')
    if index < 1 or index > #d.indexes then refuse('mark on an unknown index') end
    name_of(row[2], 'mark member')
    if optional(row[3]) and row[3] ~= 'seq' then whole(row[3], 'mark score') end
    writes = writes + 1
  end
  if optional(d.not_before) then whole(d.not_before, 'not_before') end
  if optional(d.once) then
    tuple_of(d.once, 2, 'once'); name_of(d.once[1], 'fingerprint'); bytes_of(d.once[2], MOST_RECORD_BYTES, 'answer')
  end
  bytes_of(d.events, MOST_EVENTS_BYTES, 'events')
  local read, events = pcall(cmsgpack.unpack, d.events)
  if not read then refuse('events are not msgpack') end
  for _, event in ipairs(list_of(events, 'events')) do
    if type(event) ~= 'table' then refuse('an event is not a map') end
    name_of(event.type, 'event type')
  end
  if writes > MOST_WRITES then refuse('more than ' .. MOST_WRITES .. ' writes') end
  if writes == 0 and #events == 0 and not optional(d.once) then refuse('the decision does nothing') end
  return writes > 0 or #events > 0
end

local function version_of(stored)
  if not stored then return 0 end
  return tonumber(string.match(stored, '^(%d+):'))
end

local function stale(d, key)
  local rows, names = {}, {}
  for _, row in ipairs(d.expect) do rows[#rows + 1] = row; names[#names + 1] = row[1] end
  for _, row in ipairs(d.puts) do rows[#rows + 1] = row; names[#names + 1] = row[1] end
  for _, row in ipairs(d.drops) do rows[#rows + 1] = row; names[#names + 1] = row[1] end
  local found = {}
  if #names == 0 then return found end
  local stored = redis.call('HMGET', key, unpack(names))
  for i, row in ipairs(rows) do
    if version_of(stored[i]) ~= row[2] then found[#found + 1] = row[1] end
  end
  return found
end

-- Deltas summed per name, the strictest bounds kept: two lines for one offer cannot each pass alone.
local function sums(d)
  local order, sum = {}, {}
  for _, row in ipairs(d.counters) do
    local one = sum[row[1]]
    if not one then
      one = {name = row[1], delta = 0}
      sum[row[1]] = one; order[#order + 1] = one
    end
    one.delta = one.delta + row[2]
    local floor, ceiling = optional(row[3]), optional(row[4])
    if floor and (not one.floor or floor > one.floor) then one.floor = floor end
    if ceiling and (not one.ceiling or ceiling < one.ceiling) then one.ceiling = ceiling end
  end
  return order
end

local function count(order, key)
  local short = {}
  if #order == 0 then return short end
  local names = {}
  for i, one in ipairs(order) do names[i] = one.name end
  local stored = redis.call('HMGET', key, unpack(names))
  for i, one in ipairs(order) do
    local before = tonumber(stored[i] or 0)
    one.after = before + one.delta
    if one.after > MOST or one.after < -MOST then refuse('counter ' .. one.name .. ' leaves the whole numbers') end
    if (one.floor and one.after < one.floor) or (one.ceiling and one.after > one.ceiling) then
      short[#short + 1] = {one.name, before, one.delta}
    end
  end
  return short
end

-- A counter that stays as it is was a guard: checked, but neither written nor logged.
local function moved(order)
  local found = {}
  for _, one in ipairs(order) do
    if one.delta ~= 0 then found[#found + 1] = one end
  end
  return found
end

local function pack(...) return cmsgpack.pack(...) end -- the global is not there yet while this file loads

local function array(rows, write)
  local parts = {}
  for i, row in ipairs(rows) do parts[i] = write(row) end
  local size = #rows
  local head = size < 16 and string.char(0x90 + size) or string.char(0xdc, math.floor(size / 256), size % 256)
  return head .. table.concat(parts)
end

local function entry(d, at, seq, order)
  return '\134' .. pack('id', d.id, 'at', at)
    .. pack('counters') .. array(order, function(one) return pack({one.name, one.delta, one.after}) end)
    .. pack('puts') .. array(d.puts, function(row) return pack({row[1], seq, redis.sha1hex(row[3])}) end)
    .. pack('drops') .. array(d.drops, function(row) return pack(row[1]) end)
    .. pack('events') .. d.events
end

local function write(d, keys, seq, order, packed)
  redis.call('XADD', keys[2], seq .. '-0', 'e', packed)
  redis.call('SET', keys[1], seq)
  for _, one in ipairs(order) do
    if one.after == 0 then redis.call('HDEL', keys[4], one.name)
    else redis.call('HSET', keys[4], one.name, string.format('%.0f', one.after)) end
  end
  for _, row in ipairs(d.puts) do redis.call('HSET', keys[3], row[1], string.format('%.0f:', seq) .. row[3]) end
  for _, row in ipairs(d.drops) do redis.call('HDEL', keys[3], row[1]) end
  for _, row in ipairs(d.marks) do
    local score = optional(row[3])
    if not score then redis.call('ZREM', keys[6 + row[1]], row[2])
    else redis.call('ZADD', keys[6 + row[1]], score == 'seq' and seq or score, row[2]) end
  end
end

local function remember(d, key, fingerprint, kind, seq, at, payload)
  redis.call('SET', key, pack({d.id, fingerprint, kind, seq, at, payload}), 'PX', ONCE_MS)
end

local function commit(keys, argv)
  local read, d = pcall(cmsgpack.unpack, argv[1])
  if not read then refuse('the decision is not msgpack') end
  local changes = validate(d, keys)
  local once = optional(d.once)
  local fingerprint = once and once[1] or d.id
  local told = redis.call('GET', keys[5])
  if told then
    if cmsgpack.unpack(told)[2] ~= fingerprint then return {'reused'} end
    return {'replay', told}
  end
  local stands = redis.call('MGET', keys[1], keys[6])
  if changes and stands[2] then return {'asleep', stands[2]} end
  local names = stale(d, keys[3])
  if #names > 0 then return {'conflict', unpack(names)} end
  local time = redis.call('TIME')
  local at = time[1] * 1000 + math.floor(time[2] / 1000)
  if optional(d.not_before) and at < d.not_before then return {'early', at} end
  local order = sums(d)
  local short = count(order, keys[4])
  local seq = tonumber(stands[1] or 0)
  if #short > 0 then
    local payload = pack(short)
    if once then remember(d, keys[5], fingerprint, 'short', seq, at, payload) end
    return {'short', payload}
  end
  if changes then
    seq = seq + 1
    order = moved(order)
    write(d, keys, seq, order, entry(d, at, seq, order))
  end
  remember(d, keys[5], fingerprint, 'ok', seq, at, once and once[2] or '')
  return {'ok', seq, at}
end

-- KEYS seq, asleep, m:INDEX… · ARGV the seq up to which all has been handled, a token. 1 if the shelf sleeps now.
-- One that is stopped stays so (active.py).
local function sleep(keys, argv)
  if (redis.call('GET', keys[1]) or '0') ~= argv[1] or redis.call('GET', keys[2]) == 'stopped' then return 0 end
  for i = 3, #keys do
    if redis.call('ZCARD', keys[i]) > 0 then return 0 end
  end
  redis.call('SET', keys[2], argv[2])
  return 1
end

-- KEYS asleep · ARGV the token it sleeps under: who read an older one wakes nobody.
local function wake(keys, argv)
  if redis.call('GET', keys[1]) == argv[1] then redis.call('DEL', keys[1]) end
  return 1
end

-- KEYS active, tokens · ARGV shelf, a fresh token
local function enter(keys, argv)
  redis.call('SADD', keys[1], argv[1])
  redis.call('HSET', keys[2], argv[1], argv[2])
  return 1
end

-- KEYS active, tokens · ARGV shelf, the token read before it was put to sleep: who entered since then stays.
local function leave(keys, argv)
  if (redis.call('HGET', keys[2], argv[1]) or '') ~= argv[2] then return 0 end
  redis.call('SREM', keys[1], argv[1])
  redis.call('HDEL', keys[2], argv[1])
  return 1
end

redis.register_function('livesale_commit', commit)
redis.register_function('livesale_sleep', sleep)
redis.register_function('livesale_wake', wake)
redis.register_function('livesale_enter', enter)
redis.register_function('livesale_leave', leave)
