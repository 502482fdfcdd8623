//! The list prices of Lambda and of the HTTP API before it.
//!
//! Apart from the arithmetic (`cost.rs`) because prices change without the code: they stand, dated, in `prices.toml`. Invariant: the file's
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
    init_billed_since: String,
    usd_per_million_requests: f64,
    usd_per_million_api_requests: f64,
    usd_per_gb_second: PerArchitecture,
    usd_per_gb_second_provisioned: PerArchitecture,
    usd_per_gb_second_in_provisioned: PerArchitecture,
}

#[derive(Clone, Copy, Debug, Deserialize)]
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
    /// From when on INIT is in the billed duration of every cold start, `YYYY-MM-DD`.
    pub init_billed_since: String,
    /// Lambda's USD per million requests.
    pub usd_per_million_requests: f64,
    /// The HTTP API's USD per million requests.
    pub usd_per_million_api_requests: f64,
    /// USD per billed second of 1,024 MB, on demand.
    pub usd_per_gb_second: f64,
    /// USD per second for which 1,024 MB of provisioned concurrency are configured.
    pub usd_per_gb_second_provisioned: f64,
    /// USD per billed second of 1,024 MB in a sandbox of provisioned concurrency.
    pub usd_per_gb_second_in_provisioned: f64,
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
        let of: fn(PerArchitecture) -> f64 = match architecture {
            "x86_64" => |prices| prices.x86_64,
            "aarch64" | "arm64" => |prices| prices.arm64,
            other => return Err(PriceError::Architecture(other.to_owned())),
        };
        Ok(Self {
            read_on: file.read_on,
            region: file.region,
            source: file.source,
            init_billed_since: file.init_billed_since,
            usd_per_million_requests: file.usd_per_million_requests,
            usd_per_million_api_requests: file.usd_per_million_api_requests,
            usd_per_gb_second: of(file.usd_per_gb_second),
            usd_per_gb_second_provisioned: of(file.usd_per_gb_second_provisioned),
            usd_per_gb_second_in_provisioned: of(file.usd_per_gb_second_in_provisioned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm_costs_four_fifths_of_x86_by_the_second_and_as_much_by_the_request() {
        let x86 = Prices::bundled("x86_64").unwrap();
        let arm = Prices::bundled("aarch64").unwrap();
        assert_eq!(x86.usd_per_million_requests, arm.usd_per_million_requests);
        let by_second: [fn(&Prices) -> f64; 3] = [
            |prices| prices.usd_per_gb_second,
            |prices| prices.usd_per_gb_second_provisioned,
            |prices| prices.usd_per_gb_second_in_provisioned,
        ];
        for price in by_second {
            assert!((price(&arm) / price(&x86) - 0.8).abs() < 1e-4, "{} and {}", price(&arm), price(&x86));
        }
        assert_eq!(x86.read_on.len(), "2026-11-26".len());
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
