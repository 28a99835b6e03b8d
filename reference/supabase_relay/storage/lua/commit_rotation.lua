-- KEYS: refresh token, family, successor, stored answer, access grant, deny-list entry
-- ARGV: lease, now, family lifetime (ms), successor's expiry, upstream,
--       scope, client_id, subject, resource, access token's expiry, grant lifetime (ms), answer, answer's lifetime (ms, 0: do not store it)
-- Only this script marks a token as rotated, in the same step in which it stores the successor.
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HGET', KEYS[2], 'revoked') == '1' then return {'revoked'} end
if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[1] then return {'lost'} end
if redis.call('HGET', KEYS[1], 'rotated_at') then -- a retry of this call
  return {'rotated', redis.call('HGET', KEYS[5], 'scope') or ''}
end
if redis.call('EXISTS', KEYS[6]) == 1 then return {'denied'} end

redis.call('HSET', KEYS[1], 'rotated_at', ARGV[2])
redis.call('HSET', KEYS[2], 'upstream', ARGV[5])
redis.call('HSET', KEYS[3], 'expires_at', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
local effective = write_access_grant(KEYS[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11])
if tonumber(ARGV[13]) > 0 then
  redis.call('HSET', KEYS[4], 'answer', ARGV[12], 'scope', effective)
  redis.call('PEXPIRE', KEYS[4], ARGV[13])
end
return {'rotated', effective}
