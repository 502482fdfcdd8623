//! Where the servers' programs are on this machine, and which version they have.
//!
//! Apart because every system hides them elsewhere: Debian keeps PostgreSQL's server off the PATH and PgBouncer in an
//! administrator's folder, Homebrew keeps versions in folders of their own. Invariant: nothing is started here but
//! `pg_config` and `--version`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::ServiceError;
use super::tool::Tool;

const INSTALL_POSTGRES: &str = "Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql";
const INSTALL_PGBOUNCER: &str =
    "Debian, Ubuntu: apt-get install pgbouncer; Fedora: dnf install pgbouncer; macOS: brew install pgbouncer";
const INSTALL_REDIS: &str =
    "Debian, Ubuntu: apt-get install redis-server; Fedora: dnf install valkey; macOS: brew install redis";

/// Folders where a system keeps servers although they are not on every user's PATH.
const MORE_FOLDERS: [&str; 5] =
    ["/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin"];

/// Parents of one folder a PostgreSQL version: what stands before the version in the folder's name, and what is below it.
const POSTGRES_VERSIONS: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
];

/// The folder that holds PostgreSQL's `initdb`, `postgres`, `psql` and `pg_isready`, the newest there is.
pub(crate) async fn postgres_folder() -> Result<PathBuf, ServiceError> {
    let mut candidates = newest_first(&POSTGRES_VERSIONS);
    if let Some(pg_config) = on_path("pg_config")
        && let Ok(answer) = Tool::new(pg_config, &["--bindir"]).run().await
    {
        candidates.push(PathBuf::from(answer.trim()));
    }
    candidates.extend(search_folders());
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "psql", "pg_isready"].iter().all(|name| folder.join(name).is_file())
    };
    let missing = ServiceError::Missing { program: "initdb", install: INSTALL_POSTGRES };
    candidates.into_iter().find(complete).ok_or(missing)
}

/// PgBouncer's program.
pub(crate) fn pgbouncer() -> Result<PathBuf, ServiceError> {
    require("pgbouncer", INSTALL_PGBOUNCER)
}

/// Redis, or its successor Valkey, which speaks the same protocol.
#[derive(Clone, Debug)]
pub(crate) struct RedisPrograms {
    /// `redis` or `valkey`.
    pub(crate) name: &'static str,
    /// The server.
    pub(crate) server: PathBuf,
    /// Its command line client.
    pub(crate) client: PathBuf,
}

/// The first of Redis and Valkey whose server and client are both there.
pub(crate) fn redis() -> Result<RedisPrograms, ServiceError> {
    let kinds = [("redis", "redis-server", "redis-cli"), ("valkey", "valkey-server", "valkey-cli")];
    let found = kinds.into_iter().find_map(|(name, server, client)| {
        Some(RedisPrograms { name, server: on_path(server)?, client: on_path(client)? })
    });
    found.ok_or(ServiceError::Missing { program: "redis-server", install: INSTALL_REDIS })
}

/// The first word with a dot in what `program --version` prints: `15.19`, `1.18.0`, `7.0.15`.
pub(crate) async fn version_of(program: &Path) -> Result<String, ServiceError> {
    let answer = Tool::new(program, &["--version"]).run().await?;
    version_in(&answer).ok_or_else(|| ServiceError::Answer {
        name: program.display().to_string(),
        what: "version",
        answer,
    })
}

fn version_in(answer: &str) -> Option<String> {
    let words = answer.split_ascii_whitespace().map(|word| word.trim_start_matches("v="));
    let mut versions =
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    versions.next().map(str::to_owned)
}

fn require(program: &'static str, install: &'static str) -> Result<PathBuf, ServiceError> {
    on_path(program).ok_or(ServiceError::Missing { program, install })
}

fn on_path(program: &str) -> Option<PathBuf> {
    search_folders().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn search_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(MORE_FOLDERS.iter().map(PathBuf::from)).collect()
}

/// `parent/<prefix><version>/<below>` for every version there is, the newest first; 9.6 is older than 15.
fn newest_first(places: &[(&str, &str, &str)]) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = Vec::new();
    for (parent, prefix, below) in places {
        let Ok(entries) = fs::read_dir(parent) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix));
            let numbers = version.and_then(|text| text.split('.').map(|n| n.parse().ok()).collect());
            if let Some(numbers) = numbers {
                found.push((numbers, entry.path().join(below)));
            }
        }
    }
    found.sort_by(|(left, _), (right, _)| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_wins_by_number_not_by_letter() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "17", "README", "17beta"] {
            fs::create_dir_all(root.path().join(name).join("bin")).unwrap();
        }
        let found =
            newest_first(&[(root.path().to_str().unwrap(), "", "bin"), ("/does/not/exist", "", "bin")]);
        let expected: Vec<PathBuf> = ["17", "15", "9.6"].map(|v| root.path().join(v).join("bin")).to_vec();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_missing_program_is_named_with_its_packages() {
        let message = require("no-such-server", INSTALL_PGBOUNCER).unwrap_err().to_string();
        assert!(message.contains("`no-such-server` was not found"), "{message}");
        assert!(
            message.contains("scripts/setup") && message.contains("apt-get install pgbouncer"),
            "{message}"
        );
    }

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        let cases = [
            ("postgres (PostgreSQL) 15.19 (Debian 15.19-0+deb12u1)\n", "15.19"),
            ("PgBouncer 1.18.0\nlibevent 2.1.12-stable\n", "1.18.0"),
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d81b8ff71cfb150e\n",
                "7.0.15",
            ),
            ("Valkey server v=8.1.1 sha=00000000:0 malloc=libc bits=64\n", "8.1.1"),
        ];
        for (answer, version) in cases {
            assert_eq!(version_in(answer).as_deref(), Some(version));
        }
        assert_eq!(version_in("no version here"), None);
    }
}
