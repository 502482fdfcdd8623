//! Lambda's own lines, taken apart.

/// The number after `field: ` in a REPORT or INIT_REPORT line, without its unit.
pub(crate) fn field(line: &str, field: &str) -> Option<f64> {
    let line = line.strip_prefix("INIT_REPORT ").unwrap_or(line);
    let value = line.split('\t').find_map(|part| part.strip_prefix(field)?.strip_prefix(": "))?;
    value.split(' ').next()?.parse().ok()
}
