-- KEYS: family, code. ARGV: lifetime (ms), number of the family's fields and values, those, then the code's.
-- A session of Supabase becomes one family, once.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
local lifetime, count = ARGV[1], tonumber(ARGV[2])
for i = 3, 2 + count, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = 3 + count, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], lifetime)
redis.call('PEXPIRE', KEYS[2], lifetime)
return {'issued'}
