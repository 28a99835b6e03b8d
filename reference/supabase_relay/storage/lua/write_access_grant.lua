-- Supabase may return the same JWT twice. A second grant with the same hash must not widen the scope of the first one.
local function intersection(kept, asked)
  local asked_names, common = {}, {}
  for name in asked:gmatch('%S+') do asked_names[name] = true end
  for name in kept:gmatch('%S+') do
    if asked_names[name] then common[#common + 1] = name end
  end
  return table.concat(common, ' ')
end

local function write_access_grant(key, scope, client_id, subject, resource, expires_at, lifetime)
  local kept = redis.call('HGET', key, 'scope')
  local effective = kept and intersection(kept, scope) or scope
  redis.call('HSET', key, 'scope', effective, 'client_id', client_id, 'subject', subject,
    'resource', resource, 'expires_at', expires_at)
  redis.call('PEXPIRE', key, lifetime)
  return effective
end
