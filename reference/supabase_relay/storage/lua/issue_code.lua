-- KEYS: family, code
-- ARGV: lifetime (ms), count of the family's fields and values, the family's fields and values, the code's fields and values
-- A session of Supabase may create one family only.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
local lifetime, count = ARGV[1], tonumber(ARGV[2])
for i = 3, 2 + count, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = 3 + count, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], lifetime)
redis.call('PEXPIRE', KEYS[2], lifetime)
return {'issued'}
