-- KEYS: pending login. ARGV: hash of the browser's cookie. Only the first browser is bound.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSETNX', KEYS[1], 'browser', ARGV[1])
return {redis.call('HGET', KEYS[1], 'browser')}
