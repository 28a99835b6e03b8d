-- KEYS: family, refresh token. ARGV: lease, now, expiry of the lease.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('EXISTS', KEYS[2]) == 0 then return {'missing'} end
if redis.call('HGET', KEYS[1], 'revoked') == '1' then return {'revoked'} end
if redis.call('HGET', KEYS[2], 'rotated_at') then return {'rotated'} end
local lease, leased_until = redis.call('HGET', KEYS[2], 'lease'), redis.call('HGET', KEYS[2], 'leased_until')
if lease and lease ~= ARGV[1] and tonumber(leased_until) > tonumber(ARGV[2]) then return {'busy'} end
redis.call('HSET', KEYS[2], 'lease', ARGV[1], 'leased_until', ARGV[3])
return {'claimed'}
