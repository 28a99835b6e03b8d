-- KEYS: code, family, refresh token, access grant, deny-list entry
-- ARGV: secret hash, refresh token's hash, family lifetime (ms), refresh token's expiry, upstream,
--       scope, client_id, subject, resource, access token's expiry, grant lifetime (ms)
-- Spending the code and recording the issued tokens is one step, so that a replay always finds the tokens to revoke.
if redis.call('HGET', KEYS[1], 'secret_hash') ~= ARGV[1] then return {'missing'} end
local spent_for = redis.call('HGET', KEYS[1], 'spent_for')
if spent_for == ARGV[2] then return {'spent', redis.call('HGET', KEYS[4], 'scope') or ''} end -- a retry of this call
if spent_for then return {'replayed'} end
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HGET', KEYS[2], 'revoked') == '1' then return {'revoked'} end
if redis.call('EXISTS', KEYS[5]) == 1 then return {'denied'} end

redis.call('HSET', KEYS[1], 'spent_for', ARGV[2])
redis.call('HSET', KEYS[2], 'upstream', ARGV[5])
redis.call('HSET', KEYS[3], 'expires_at', ARGV[4])
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return {'spent', write_access_grant(KEYS[4], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11])}
