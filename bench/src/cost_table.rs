//! What a million requests cost, part by part: the block of the terminal table, and the note that says what the figures rest on.
//!
//! Apart from the table because both read the bill alone. Invariant: the note says the prices' date and Region, on which requests
//! the mix was measured, and what is not in it.

use crate::run_file::{Cost, RunFile, Variant};
use crate::table::{digits, finished, new_table};

/// The block; none where no variant has a cost in parts.
pub(crate) fn block(variants: &[Variant]) -> Option<String> {
    let costs: Vec<(&str, &Cost)> =
        variants.iter().filter_map(|variant| Some((variant.name.as_str(), variant.cost.as_ref()?))).collect();
    if costs.is_empty() {
        return None;
    }
    let mut table = new_table();
    let header = ["USD per million", "all", "requests", "duration", "of it INIT", "HTTP API"];
    table.set_header(header.into_iter().chain(["provisioned", "cold, %", "measured on"]));
    for (name, cost) in costs {
        let usd = [cost.per_million_usd, cost.requests_usd, cost.duration_usd, cost.init_usd, cost.api_usd];
        let others = [cost.provisioned_usd, 100.0 * cost.cold_share];
        let numbers = usd.into_iter().chain(others).map(digits).chain([cost.requests.to_string()]);
        table.add_row(std::iter::once(name.to_owned()).chain(numbers));
    }
    Some(finished(table))
}

/// The note below the tables.
pub(crate) fn note(run: &RunFile) -> String {
    let (environment, prices) = (&run.environment, &run.environment.prices);
    let listed = format!(
        "Cost: {} list prices of {} for {}, read on {}",
        prices.region, prices.source, environment.architecture, prices.read_on
    );
    if run.variants.iter().all(|variant| variant.cost.is_none()) {
        // As runs before version 4 reckoned it.
        return format!("{listed}; the warm phase's billed time.");
    }
    let mix = if run.variants.iter().any(|variant| variant.load.is_some()) {
        "at the load phase's mix of cold and warm"
    } else {
        "no load, so for warm requests alone"
    };
    format!(
        "{listed}, first tier, nothing free; {mix}. INIT is in the billed duration (since {}). Not in it: database, RDS Proxy, cache, \
         data transfer, logs, traces; Parameter Store's standard throughput is free.",
        prices.init_billed_since
    )
}
