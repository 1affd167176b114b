"""The stand-in server itself: what is no request must not be counted as one, or a good test fails by chance."""

import socket

import pytest

from tests.wire.http_peer import Answer, HttpPeer


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01 a b c\n\x00: \r\n\r\n",  # a TLS handshake whose random octets hold spaces and a line end
        b"\x16ab\n",
        b"\x16\x03",
        b"",
    ],
)
def test_what_is_no_request_is_not_counted_as_one(octets: bytes) -> None:
    with HttpPeer(Answer()) as peer, socket.create_connection(("127.0.0.1", peer.port)) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        assert peer.asked == []
