-- KEYS: deny-list entry. ARGV: lifetime (ms). Never shorten the lifetime of an entry.
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return {'denied'}
