-- The steps of a budget on a Redis server: `steps.py`, `rules.py` and `pacing.py` once more, function
-- by function under the same names, since a step is atomic only where it runs on the server. A test
-- holds both to the same answers. Redis turns numbers it is given back into whole ones, so that
-- moments and pauses travel as text.

local calls, waits, grant, standings, marks, blames, accounts, sequence = unpack(KEYS)
local step, rules = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local limit, window = step.limit or math.huge, step.window
local caller = step.account .. ' ' .. step.site

local function exact(number)
  return string.format('%.17g', number)
end

-- Redis's own clock, which all machines share; a clock is passed by tests alone.
local now = step.now
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1e6
end

local function outlive(key)
  redis.call('EXPIRE', key, math.ceil(math.max(window, rules.SITE_WINDOW)) + 60)
end

-- standings: caller -> "proven faults closings closed_until"

local function standing_of(owner)
  local row = redis.call('HGET', standings, owner) or '0 0 0 0'
  local proven, faults, closings, closed_until = row:match('(%S+) (%S+) (%S+) (%S+)')
  return {
    proven = proven == '1',
    faults = tonumber(faults),
    closings = tonumber(closings),
    closed_until = tonumber(closed_until),
  }
end

local function text_of(standing)
  local proven = standing.proven and '1' or '0'
  return table.concat(
    { proven, standing.faults, standing.closings, exact(standing.closed_until) }, ' '
  )
end

local function is_watched(standing)
  return text_of(standing) ~= '1 0 0 0'
end

local function settled(before, verdict)
  if verdict == 'good' then
    return { proven = true, faults = 0, closings = 0, closed_until = 0 }
  end
  if verdict == 'nothing' or (verdict == 'doubtful' and before.proven) then
    return before
  end
  local after = {
    proven = before.proven,
    faults = before.faults + 1,
    closings = before.closings,
    closed_until = before.closed_until,
  }
  local enough = after.faults >= rules.MAX_FAULTS or after.closings > 0
    or verdict == 'refused key'
  if enough and after.closed_until <= now then
    local cool_down = rules.FIRST_COOL_DOWN
    for _ = 1, after.closings do
      cool_down = math.min(cool_down * rules.COOL_DOWN_FACTOR, rules.LONGEST_COOL_DOWN)
    end
    after.closings = after.closings + 1
    after.closed_until = now + cool_down
  end
  return after
end

-- blames and marks: "number account site" at its moment

local function owner_of(member)
  return member:match('^%S+ (.+)$')
end

local function judge(owner, verdict)
  local before = standing_of(owner)
  local after = settled(before, verdict)
  if text_of(after) == text_of(before) then
    return
  end
  redis.call('HSET', standings, owner, text_of(after))
  if after.proven and not before.proven then
    for _, member in ipairs(redis.call('ZRANGE', blames, 0, -1)) do
      if owner_of(member) == owner then
        redis.call('ZREM', blames, member)
      end
    end
  elseif not after.proven then
    redis.call('ZADD', blames, exact(now), redis.call('INCR', sequence) .. ' ' .. owner)
    outlive(blames)
  end
end

local function site_of(owner)
  return owner:match(' (.+)$')
end

local function under_way()
  local count = 0
  for _, member in ipairs(redis.call('ZRANGE', marks, 0, -1)) do
    if owner_of(member) == caller then
      count = count + 1
    end
  end
  return count
end

local function of_the_site()
  local faults, first, unproven = 0, nil, 0
  local rows = redis.call('ZRANGE', blames, 0, -1, 'WITHSCORES')
  for index = 1, #rows, 2 do
    if site_of(owner_of(rows[index])) == step.site then
      faults = faults + 1
      first = first or tonumber(rows[index + 1])
    end
  end
  for _, member in ipairs(redis.call('ZRANGE', marks, 0, -1)) do
    local owner = owner_of(member)
    if site_of(owner) == step.site and not standing_of(owner).proven then
      unproven = unproven + 1
    end
  end
  return faults, first, unproven
end

local function until_return(at, span)
  return at - (now - span)
end

local function pause_of(pause)
  return exact(math.max(pause, rules.SHORTEST_PAUSE))
end

local function not_yet(pause)
  return { 'not yet', pause_of(pause) }
end

local function closed(pause, faults)
  return { 'closed', pause_of(pause), faults }
end

local function danger(standing)
  if standing.closed_until > now then
    return closed(standing.closed_until - now, standing.faults)
  end
  if not is_watched(standing) then
    return nil
  end
  local faults, first, unproven = 0, nil, 0
  if not standing.proven then
    faults, first, unproven = of_the_site()
  end
  if faults >= rules.MAX_SITE_FAULTS then
    return closed(until_return(first, rules.SITE_WINDOW), faults)
  end
  local most = standing.closings > 0 and 1 or rules.MAX_FAULTS - standing.faults
  if faults + unproven >= rules.MAX_SITE_FAULTS or under_way() >= most then
    return not_yet(rules.UNPROVEN_PAUSE)
  end
  return nil
end

local function rest(left, jobs, returns, every, since_grant)
  if left < 2 then
    return math.huge
  end
  local shares = {}
  for n, back in ipairs(returns) do
    shares[n] = math.min(1, back / window)
  end
  local spread = -math.huge
  for n, kept in ipairs(shares) do
    local free = left + every * (n - 1)
    spread = math.max(spread, (kept * window - free * since_grant) / (free + 1))
  end
  local used = every * #returns
  if jobs > left + used then
    return spread
  end
  local weight, growth = 0, 0
  for _, kept in ipairs(shares) do
    local age = 1 - kept + rules.LEAST_AGE
    weight = weight + age * (kept * kept)
    growth = growth + kept * (kept - 2 * age)
  end
  local scale = rules.SPENT_FACTOR * used * every / ((left + used) ^ 2 * left)
  local spent = scale * weight * window - since_grant
  if spent > 0 then
    spent = scale * growth < 1 and spent / (1 - scale * growth) or math.huge
  end
  return math.min(spread, spent)
end

-- waits: process -> "jobs due at", the due being - if no look is

local function heard()
  local jobs, first_due = 0, nil
  local rows = redis.call('HGETALL', waits)
  for index = 1, #rows, 2 do
    if rows[index] ~= step.process then
      local many, due = rows[index + 1]:match('(%S+) (%S+)')
      jobs = jobs + tonumber(many)
      due = tonumber(due)
      if due and (not first_due or due < first_due) then
        first_due = due
      end
    end
  end
  return jobs, first_due
end

local function moment_of(rank)
  return tonumber(redis.call('ZRANGE', calls, rank, rank, 'WITHSCORES')[2])
end

local function shortage()
  local used = redis.call('ZCARD', calls)
  local left = limit - used - (step.jobs and step.reserve or 0)
  if used == 0 or left == math.huge then
    return nil
  end
  local every = math.max(1, math.ceil(used / rules.MOST_RETURNS))
  local returns = {}
  for rank = 0, (step.jobs or left < 1) and used - 1 or 0, every do
    returns[#returns + 1] = until_return(moment_of(rank), window)
  end
  if left < 1 then
    local last = math.min(math.ceil(-left / every), #returns - 1)
    return { 'used up', pause_of(returns[last + 1]), limit, used }
  end
  if not step.jobs then
    return nil
  end
  local granted = tonumber(redis.call('GET', grant) or 'none')
  local since_grant = (not granted or granted > now) and math.huge or now - granted
  local others, first_due = heard()
  local pause = rest(left, step.jobs + others, returns, every, since_grant)
  local is_first = not first_due or now - step.overdue <= first_due
  if not is_first and since_grant < math.huge then
    pause = pause + rules.LATER_SHARE * (since_grant + pause)
  end
  if pause <= rules.LEAST_PAUSE then
    return nil
  end
  return not_yet(math.min(pause, returns[1], rules.LONGEST_PAUSE))
end

local function hear(due)
  if step.jobs == 0 then
    redis.call('HDEL', waits, step.process)
  else
    redis.call('HSET', waits, step.process, table.concat({ step.jobs, due, exact(now) }, ' '))
    outlive(waits)
  end
end

local function forget()
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', exact(now - window))
  redis.call('ZREMRANGEBYSCORE', accounts, '-inf', exact(now - window))
  redis.call('ZREMRANGEBYSCORE', blames, '-inf', exact(now - rules.SITE_WINDOW))
  local rows = redis.call('HGETALL', waits)
  for index = 1, #rows, 2 do
    local at = rows[index + 1]:match('(%S+)$')
    if math.abs(now - tonumber(at)) >= rules.FORGOTTEN_AFTER then
      redis.call('HDEL', waits, rows[index])
    end
  end
end

local function count()
  redis.call('ZADD', calls, exact(now), redis.call('INCR', sequence))
  outlive(calls)
  redis.call('ZADD', accounts, exact(now), step.account)
  outlive(accounts)
end

local function unmark_lost()
  local rows = redis.call('ZRANGE', marks, 0, -1, 'WITHSCORES')
  for index = 1, #rows, 2 do
    if math.abs(now - tonumber(rows[index + 1])) >= rules.LOST_AFTER then
      redis.call('ZREM', marks, rows[index])
      judge(owner_of(rows[index]), 'fault')
    end
  end
end

local function admit()
  forget()
  unmark_lost()
  local standing = standing_of(caller)
  local refusal = danger(standing) or shortage()
  if step.jobs then
    hear(refusal and exact(now - step.overdue) or '-')
  end
  if refusal then
    return refusal
  end
  if limit < math.huge then
    count()
  end
  if step.jobs then
    redis.call('SET', grant, exact(now), 'EX', math.ceil(window) + 60)
  end
  if not is_watched(standing) then
    return { 'admitted', 0 }
  end
  local call = redis.call('INCR', sequence)
  redis.call('ZADD', marks, exact(now), call .. ' ' .. caller)
  return { 'admitted', call }
end

local function settle()
  redis.call('ZREM', marks, step.call .. ' ' .. caller)
  judge(caller, step.verdict)
end

local function used()
  return redis.call('ZCOUNT', calls, '(' .. exact(now - window), '+inf')
end

local function accounts_in_use()
  return redis.call('ZRANGEBYSCORE', accounts, '(' .. exact(now - window), '+inf')
end

local functions = { admit = admit, settle = settle, used = used, accounts = accounts_in_use }
return functions[step.name]()
