//! Where traces go, as the environment says.
//!
//! Apart because the choice between several variables is a small decision with cases of its own. Invariant: without an address
//! tracing is off and nothing is said, as outside Lambda; an address that cannot be used is told, with what it should be.

use std::net::SocketAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The X-Ray daemon, by datagrams.
    Daemon(SocketAddr),
    /// One document a line.
    Stdout,
    /// An OpenTelemetry collector: the address that spans are posted to.
    #[cfg(feature = "otlp")]
    Collector(String),
}

/// Chooses by `variable`, a look-up such as the process's environment that gives no empty values; adds what is wrong to `warnings`.
///
/// `OTEL_TRACES_EXPORTER` decides, where it is set: `xray`, `console`, `otlp` or `none`. Else a collector's address comes before the
/// daemon's, which Lambda always sets.
pub(crate) fn choose(
    variable: &dyn Fn(&str) -> Option<String>,
    warnings: &mut Vec<String>,
) -> Option<Destination> {
    if is_disabled(variable) {
        return None;
    }
    match variable("OTEL_TRACES_EXPORTER").as_deref().map(str::trim) {
        Some("none") => None,
        Some("console") => Some(Destination::Stdout),
        Some("xray") => daemon(variable, warnings),
        Some("otlp") => collector(variable, warnings),
        None => match collector_variable(variable) {
            Some(_) => collector(variable, warnings),
            None => daemon(variable, warnings),
        },
        Some(other) => {
            warnings.push(format!(
                "OTEL_TRACES_EXPORTER is `{other}`, which is not known here; tracing is off: \
                 set it to xray, otlp, console or none"
            ));
            None
        }
    }
}

/// Powertools for TypeScript has the first name, Powertools for Python the second.
fn is_disabled(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_one_of = |name: &str, words: [&str; 5]| {
        variable(name).is_some_and(|value| words.iter().any(|word| word.eq_ignore_ascii_case(value.trim())))
    };
    is_one_of("POWERTOOLS_TRACE_ENABLED", ["0", "false", "off", "no", "n"])
        || is_one_of("POWERTOOLS_TRACE_DISABLED", ["1", "true", "on", "yes", "y"])
}

fn daemon(variable: &dyn Fn(&str) -> Option<String>, warnings: &mut Vec<String>) -> Option<Destination> {
    let value = variable("AWS_XRAY_DAEMON_ADDRESS")?;
    let address = daemon_address(&value);
    if address.is_none() {
        warnings.push(format!(
            "AWS_XRAY_DAEMON_ADDRESS is `{value}`, which is no address; tracing is off: \
             set it to <ip>:<port> or tcp:<ip>:<port> udp:<ip>:<port>"
        ));
    }
    address.map(Destination::Daemon)
}

/// `169.254.79.129:2000`, or `tcp:<ip>:<port> udp:<ip>:<port>` in any order, of which the second is for datagrams. A host's name is
/// not looked up: that would wait for the network.
fn daemon_address(value: &str) -> Option<SocketAddr> {
    let mut parts = value.split_whitespace();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(address), None, _) => address.strip_prefix("udp:").unwrap_or(address).parse().ok(),
        (Some(first), Some(second), None) => {
            let udp = match (first.strip_prefix("tcp:"), second.strip_prefix("tcp:")) {
                (Some(_), None) => second,
                (None, Some(_)) => first,
                _ => return None,
            };
            udp.strip_prefix("udp:")?.parse().ok()
        }
        _ => None,
    }
}

/// The variable that names a collector, with its value.
fn collector_variable(variable: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)))
}

#[cfg(feature = "otlp")]
fn collector(variable: &dyn Fn(&str) -> Option<String>, warnings: &mut Vec<String>) -> Option<Destination> {
    // OpenTelemetry's default for HTTP.
    let (name, value) = collector_variable(variable)
        .unwrap_or(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318".to_owned()));
    let base = value.trim().trim_end_matches('/');
    // TLS would be a library more; a collector beside the function needs none.
    if base.strip_prefix("http://").is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
        warnings.push(format!(
            "{name} is `{value}`, which cannot be used; tracing is off: set it to http://<host>:<port>"
        ));
        return None;
    }
    // The general variable is a base, the other one the address itself.
    let path = if name == "OTEL_EXPORTER_OTLP_ENDPOINT" { "/v1/traces" } else { "" };
    Some(Destination::Collector(format!("{base}{path}")))
}

#[cfg(not(feature = "otlp"))]
fn collector(variable: &dyn Fn(&str) -> Option<String>, warnings: &mut Vec<String>) -> Option<Destination> {
    let name = collector_variable(variable).map_or("OTEL_TRACES_EXPORTER", |(name, _)| name);
    warnings.push(format!(
        "{name} asks for OTLP, which this function is built without; traces go to the X-Ray daemon, if there is one: \
         build with the feature `otlp` of `telemetry`"
    ));
    daemon(variable, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> (Option<Destination>, Vec<String>) {
        let mut warnings = Vec::new();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        (choose(&variable, &mut warnings), warnings)
    }

    #[test]
    fn the_daemons_address_has_two_forms() {
        let daemon = |address: &str| Some(Destination::Daemon(address.parse().unwrap()));
        for (value, expected) in [
            ("169.254.79.129:2000", daemon("169.254.79.129:2000")),
            ("udp:127.0.0.1:2000", daemon("127.0.0.1:2000")),
            ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", daemon("127.0.0.2:2001")),
            ("udp:127.0.0.2:2001  tcp:127.0.0.1:2000", daemon("127.0.0.2:2001")),
            ("[::1]:2000", daemon("[::1]:2000")),
        ] {
            assert_eq!(chosen(&[("AWS_XRAY_DAEMON_ADDRESS", value)]), (expected, vec![]), "{value}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_told_and_none_at_all_is_not() {
        assert_eq!(chosen(&[]), (None, vec![]));
        for value in [
            "daemon:2000",
            "127.0.0.1",
            "127.0.0.1:0x7d0",
            "tcp:127.0.0.1:2000",
            "tcp:127.0.0.1:2000 tcp:127.0.0.1:2000",
            "udp:127.0.0.1:2000 udp:127.0.0.1:2000",
            "tcp:127.0.0.1:2000 udp:127.0.0.1:2000 udp:127.0.0.1:2001",
        ] {
            let (destination, warnings) = chosen(&[("AWS_XRAY_DAEMON_ADDRESS", value)]);
            assert_eq!(destination, None, "{value}");
            assert!(warnings.len() == 1 && warnings[0].contains(&format!("`{value}`")), "{warnings:?}");
        }
    }

    #[test]
    fn powertools_switches_turn_it_off_and_the_exporter_is_named() {
        let address = ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000");
        for off in [
            ("POWERTOOLS_TRACE_ENABLED", "False"),
            ("POWERTOOLS_TRACE_DISABLED", "true"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ] {
            assert_eq!(chosen(&[address, off]), (None, vec![]), "{off:?}");
        }
        for on in [("POWERTOOLS_TRACE_ENABLED", "true"), ("POWERTOOLS_TRACE_DISABLED", "0"), address] {
            assert!(matches!(chosen(&[address, on]), (Some(Destination::Daemon(_)), _)), "{on:?}");
        }
        assert_eq!(
            chosen(&[address, ("OTEL_TRACES_EXPORTER", "console")]),
            (Some(Destination::Stdout), vec![])
        );
        let (destination, warnings) = chosen(&[address, ("OTEL_TRACES_EXPORTER", "zipkin")]);
        assert!(destination.is_none() && warnings[0].contains("`zipkin`"), "{warnings:?}");
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_collector_is_told_to_be_missing_and_the_daemon_serves() {
        let (destination, warnings) = chosen(&[
            ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ]);
        assert!(matches!(destination, Some(Destination::Daemon(_))));
        assert!(warnings[0].contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{warnings:?}");
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn a_collectors_address_comes_before_the_daemons() {
        let daemon = ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000");
        let collector = |address: &str| (Some(Destination::Collector(address.to_owned())), vec![]);
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");
        let exact = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/spans");
        assert_eq!(chosen(&[daemon, base]), collector("http://127.0.0.1:4318/v1/traces"));
        assert_eq!(chosen(&[daemon, base, exact]), collector("http://127.0.0.1:4318/spans"));
        assert_eq!(
            chosen(&[daemon, ("OTEL_TRACES_EXPORTER", "otlp")]),
            collector("http://127.0.0.1:4318/v1/traces")
        );
        assert!(matches!(
            chosen(&[daemon, base, ("OTEL_TRACES_EXPORTER", "xray")]),
            (Some(Destination::Daemon(_)), _)
        ));
        for value in ["https://127.0.0.1:4318", "127.0.0.1:4318", "http://", "http://a b"] {
            let (destination, warnings) = chosen(&[("OTEL_EXPORTER_OTLP_ENDPOINT", value)]);
            assert!(
                destination.is_none() && warnings[0].contains(&format!("`{value}`")),
                "{value}: {warnings:?}"
            );
        }
    }
}
