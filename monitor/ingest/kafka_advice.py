"""What a person can do about what a Kafka client complains of, by the error's name or by its words."""

import re

__all__ = ["advise", "what_to_do"]

_CREDENTIALS = "check sasl.username, sasl.password (or the token) and sasl.mechanism in source.kafka.options"
_TOPIC = "create the topic, or correct source.kafka.topics"
_NO_HOST = "no such host: correct source.kafka.bootstrap_servers, or the DNS of this machine"
_HINTS = {
    "_ALL_BROKERS_DOWN": "is source.kafka.bootstrap_servers right, and the broker up?",
    "_AUTHENTICATION": _CREDENTIALS,
    "SASL_AUTHENTICATION_FAILED": _CREDENTIALS,
    "UNSUPPORTED_SASL_MECHANISM": "set sasl.mechanism in source.kafka.options to one that the broker has",
    "UNKNOWN_TOPIC_OR_PART": _TOPIC,
    "_UNKNOWN_TOPIC": _TOPIC,
    "TOPIC_AUTHORIZATION_FAILED": "allow the user READ and DESCRIBE on the topic",
    "GROUP_AUTHORIZATION_FAILED": "allow the user READ on the group, or change source.kafka.group_id",
    "MSG_SIZE_TOO_LARGE": "raise max.message.bytes of the topic, or send smaller records",
    "_SSL": "check ssl.ca.location in source.kafka.options",
    "_RESOLVE": _NO_HOST,
}
# The first that fits. The words say more than the name, where a connection was tried and they are there.
_BY_WORDS = (
    (
        r"supported mechanisms: (?P<found>[\w,.-]+)",
        "set source.kafka.options sasl.mechanism to one of these: {found}",
    ),
    (r"OIDC|token endpoint|oauthbearer", "check sasl.oauthbearer.* and that the token endpoint answers"),
    (r"authentication", _CREDENTIALS),
    (
        r"PLAINTEXT broker listener",
        "the port speaks no TLS: name the TLS port, or set security.protocol to PLAINTEXT or SASL_PLAINTEXT",
    ),
    (
        # What librdkafka says of the same where the broker hangs up before it answers.
        r"SSL connection closed by peer",
        "the port speaks no TLS: name the TLS port, or set security.protocol to PLAINTEXT or SASL_PLAINTEXT; "
        "or the broker wants a certificate of the client: set ssl.certificate.location",
    ),
    (
        r"certificate could not be verified|certificate verify failed",
        "set ssl.ca.location in source.kafka.options to the certificate of the broker's authority, "
        "and name the broker as its certificate does",
    ),
    (r"SSL", "check ssl.* in source.kafka.options against what the broker wants"),
    (r"resolve", _NO_HOST),
    (r"refused", "nothing listens there: correct source.kafka.bootstrap_servers, or start the broker"),
    (
        r"state APIVERSION_QUERY|state UP|closed by peer",
        "the port closes such connections: set security.protocol to what its listener speaks "
        "(SSL, SASL_SSL or SASL_PLAINTEXT)",
    ),
)
_OTHERWISE = "no answer: check source.kafka.bootstrap_servers, the network and the firewall"


def what_to_do(error_name: str) -> str:
    """ "; .." with what a person can do about an error of this name, or nothing."""
    hint = _HINTS.get(error_name)
    return f"; {hint}" if hint else ""


def advise(reason: str) -> str:
    """What to do about a reason as librdkafka gives it while it connects."""
    for pattern, advice in _BY_WORDS:
        match = re.search(pattern, reason, re.IGNORECASE)
        if match is not None:
            return advice.format(**match.groupdict())
    return _OTHERWISE
