//! What a client is told when it is not let in, in the words of RDS Proxy where they are known, else in PostgreSQL's.
//!
//! Apart from the checks because a client's code may look for these words and codes, so each has its source here. Invariant: a
//! client learns no more than RDS Proxy would tell it; why a token failed goes to the lab's user.
//!
//! RDS Proxy's messages: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html>; as seen by
//! clients, with their codes, in the places named at each.

use bytes::{BufMut as _, BytesMut};

/// Why a client is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// <https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/issues/103>; its code is the one that asyncpg calls
    /// `InvalidAuthorizationSpecificationError`, which is what it raises here.
    #[error("This RDS Proxy requires TLS connections")]
    TlsRequired,
    /// <https://github.com/duckdb/duckdb-postgres/issues/576>; node-postgres shows it as FATAL, 28P01.
    #[error(
        "The IAM authentication failed for the role {user}. Check the IAM token for this role and try again."
    )]
    IamFailed { user: String },
    /// <https://github.com/aws/aws-secretsmanager-jdbc/issues/222>; the code from its pull request 223.
    #[error(
        "This RDS proxy has no credentials for the role {user}. Check the credentials for this role and try again."
    )]
    NoCredentials { user: String },
    /// The troubleshooting page; the code is PostgreSQL's for a start-up packet without a user.
    #[error(
        "A user name is missing from the connection startup packet. Provide a user name for this connection."
    )]
    NoUser,
    /// The troubleshooting page; the code as for the next.
    #[error(
        "Feature not supported: RDS Proxy supports only version 3.0 of the PostgreSQL messaging protocol."
    )]
    ProtocolVersion,
    /// <https://github.com/psycopg/psycopg2/issues/1577>; the code from <https://github.com/mithrandyr/SimplySql/issues/66>.
    #[error("Feature not supported: RDS Proxy currently doesn’t support command-line options.")]
    CommandLineOptions,
    /// The troubleshooting page.
    #[error("Feature not supported: RDS Proxy currently doesn’t support streaming replication mode.")]
    Replication,
    /// The troubleshooting page; the code is PostgreSQL's for too many connections.
    #[error("The maximum number of client connections to the proxy exceeded {0}.")]
    TooManyClients(usize),
    /// PostgreSQL's words (`src/backend/postmaster/postmaster.c` and `src/backend/libpq/auth.c`).
    #[error("{0}")]
    ProtocolViolation(String),
    /// PostgreSQL's words, when `authentication_timeout` is over.
    #[error("canceling authentication due to timeout")]
    TimedOut,
    /// The lab's own words: this is the lab's failure.
    #[error("the lab's PgBouncer does not answer: {0}")]
    Unavailable(String),
}

impl Refusal {
    /// The error's code: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn sqlstate(&self) -> &'static str {
        match self {
            Self::TlsRequired | Self::NoCredentials { .. } | Self::NoUser => "28000",
            Self::IamFailed { .. } => "28P01",
            Self::ProtocolVersion | Self::CommandLineOptions | Self::Replication => "0A000",
            Self::TooManyClients(_) => "53300",
            Self::ProtocolViolation(_) => "08P01",
            Self::TimedOut => "57014",
            Self::Unavailable(_) => "57P03",
        }
    }

    /// The ErrorResponse message: <https://www.postgresql.org/docs/current/protocol-error-fields.html>.
    pub(super) fn message(&self) -> BytesMut {
        let text = self.to_string();
        let fields = [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', self.sqlstate()), (b'M', &text)];
        let mut body = BytesMut::new();
        for (kind, value) in fields {
            body.put_u8(kind);
            body.extend(value.bytes().filter(|&byte| byte != 0));
            body.put_u8(0);
        }
        body.put_u8(0);
        let mut message = BytesMut::with_capacity(body.len() + 5);
        message.put_u8(b'E');
        message.put_u32(u32::try_from(body.len() + 4).unwrap_or(u32::MAX));
        message.extend_from_slice(&body);
        message
    }
}
