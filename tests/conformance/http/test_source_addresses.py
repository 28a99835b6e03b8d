"""Addresses from which checks come, where the target is on loopback."""

from ipaddress import ip_address, ip_network

from oauth_litmus.http.source_addresses import loopback_addresses


def test_each_address_is_handed_out_once():
    following = loopback_addresses()
    addresses = [following() for _ in range(1000)]

    assert len(set(addresses)) == 1000
    assert all(ip_address(address) in ip_network("127.0.0.0/8") for address in addresses)


def test_runs_one_after_the_other_come_from_different_addresses():
    assert len({loopback_addresses()() for _ in range(10)}) > 1
