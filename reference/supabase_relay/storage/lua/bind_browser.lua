-- KEYS: pending login. ARGV: hash of the browser's cookie. The first browser keeps the login.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSETNX', KEYS[1], 'browser', ARGV[1])
return {redis.call('HGET', KEYS[1], 'browser')}
