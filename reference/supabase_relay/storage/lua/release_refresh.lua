-- KEYS: refresh token. ARGV: lease. Only the holder of the lease may release it.
if redis.call('HGET', KEYS[1], 'lease') == ARGV[1] and not redis.call('HGET', KEYS[1], 'rotated_at') then
  redis.call('HDEL', KEYS[1], 'lease', 'leased_until')
end
return {'released'}
