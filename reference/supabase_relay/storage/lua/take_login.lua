-- KEYS: pending login. Of concurrent callbacks, one gets the login; the others get an empty list.
local fields = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return fields
