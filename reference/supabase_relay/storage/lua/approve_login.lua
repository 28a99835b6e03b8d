-- KEYS: pending login. Do not recreate a login that was taken or deleted.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSET', KEYS[1], 'approved', '1')
return {'approved'}
