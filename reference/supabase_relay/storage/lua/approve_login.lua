-- KEYS: pending login. Never brings a login back that is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSET', KEYS[1], 'approved', '1')
return {'approved'}
