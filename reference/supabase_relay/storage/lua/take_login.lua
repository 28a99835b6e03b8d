-- KEYS: pending login. Of several callbacks at once, one gets the login; the others get nothing.
local fields = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return fields
