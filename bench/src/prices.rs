//! What a million requests would cost at Lambda's list prices.
//!
//! Apart from the metrics because prices change without the code: they stand, dated, in `prices.toml`. Invariant: the file's
//! date and Region travel with every cost into `run.json`.

use serde::{Deserialize, Serialize};

/// Why no price is known.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The price file is not as expected.
    #[error("bench/prices.toml: {0}")]
    Malformed(#[from] toml::de::Error),
    /// There is no price for this processor architecture.
    #[error("bench/prices.toml has no price for the architecture {0:?}; it knows x86_64 and arm64 (aarch64)")]
    Architecture(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    read_on: String,
    region: String,
    source: String,
    usd_per_million_requests: f64,
    usd_per_gb_second: PerArchitecture,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PerArchitecture {
    x86_64: f64,
    arm64: f64,
}

/// The prices one architecture is billed by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day they were read, `YYYY-MM-DD`.
    pub read_on: String,
    /// The AWS Region they hold for.
    pub region: String,
    /// The page they come from.
    pub source: String,
    /// USD per million requests.
    pub usd_per_million_requests: f64,
    /// USD per second of 1,024 MB.
    pub usd_per_gb_second: f64,
}

impl Prices {
    /// The prices of the bundled `prices.toml` for `architecture`, as Rust names it.
    ///
    /// # Errors
    /// A malformed file, or an architecture Lambda does not have.
    pub fn bundled(architecture: &str) -> Result<Self, PriceError> {
        Self::parse(include_str!("../prices.toml"), architecture)
    }

    fn parse(text: &str, architecture: &str) -> Result<Self, PriceError> {
        let file: PriceFile = toml::from_str(text)?;
        let usd_per_gb_second = match architecture {
            "x86_64" => file.usd_per_gb_second.x86_64,
            "aarch64" | "arm64" => file.usd_per_gb_second.arm64,
            other => return Err(PriceError::Architecture(other.to_owned())),
        };
        Ok(Self {
            read_on: file.read_on,
            region: file.region,
            source: file.source,
            usd_per_million_requests: file.usd_per_million_requests,
            usd_per_gb_second,
        })
    }

    /// USD for a million requests that are each billed `gb_seconds`.
    pub fn per_million(&self, gb_seconds: f64) -> f64 {
        1e6 * gb_seconds * self.usd_per_gb_second + self.usd_per_million_requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_requests_of_one_gb_second_cost_the_list_price() {
        let x86 = Prices::bundled("x86_64").unwrap();
        let arm = Prices::bundled("aarch64").unwrap();
        assert!((x86.per_million(1.0) - 16.8667).abs() < 1e-9, "{}", x86.per_million(1.0));
        assert!((arm.per_million(1.0) - 13.5334).abs() < 1e-9, "{}", arm.per_million(1.0));
        assert!((x86.per_million(0.0) - 0.20).abs() < 1e-9);
        assert_eq!(x86.read_on.len(), "2026-11-22".len());
    }

    #[test]
    fn unknown_architectures_and_keys_are_refused_by_name() {
        let error = Prices::bundled("riscv64").unwrap_err().to_string();
        assert!(error.contains("riscv64"), "{error}");
        let text = format!("surprise = 1\n{}", include_str!("../prices.toml"));
        let error = Prices::parse(&text, "x86_64").unwrap_err().to_string();
        assert!(error.contains("surprise"), "{error}");
    }
}
