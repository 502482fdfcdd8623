//! Turns a scenario file's YAML into checked types, or says what is wrong where.
//!
//! Apart from the types because every rule about a value stands here once. Invariant: what passes, Artillery takes as well, and means
//! the same by it; what it would take otherwise than it reads (`duration: 1.5` is no time, `arrivalRate: 0.5` ends it) is refused.

use std::path::Path;
use std::time::Duration;

use serde_saphyr::Spanned;

use super::error::ScenarioError;
use super::expect::Expect;
use super::keys;
use super::reader::{Checked, Map, Value};
use super::yaml::Node;
use super::{Arrivals, Phase, Scenario, duration};

/// The longest phase.
const MOST_SECONDS: f64 = 86_400.0;
/// The highest rate, a second, and the most arrivals of a count.
const MOST_RATE: f64 = 5000.0;
const MOST_COUNT: f64 = 10_000_000.0;

pub(super) fn scenario(text: &str, path: &Path, sha256: String) -> Checked<Scenario> {
    let document: Spanned<Node> = serde_saphyr::from_str(text).map_err(|error| malformed(path, &error))?;
    let document = Value::document(path, &document);
    if document.is_nothing() {
        return Err(document.invalid("expected a test script of Artillery's with config and scenarios"));
    }
    let top = document.map(&keys::TOP)?;
    let config = top.need("config", "expected a map with phases")?.map(&keys::CONFIG)?;
    let plugins = config.get("plugins").map(|plugins| plugins.map(&keys::PLUGINS)).transpose()?;
    if let Some(empty) = plugins.as_ref().and_then(Map::empty) {
        return Err(empty.invalid("expected a map, {} where nothing is set: Artillery ends at an empty one"));
    }
    let has_expect = expect_plugin(plugins.as_ref())?;
    let target = config
        .get("target")
        .map(|target| target.text("expected an address, such as \"http://127.0.0.1:3000\""));
    let (url, expect) = request(&top, has_expect)?;
    Ok(Scenario {
        path: path.to_owned(),
        sha256,
        target: target.transpose()?.map(str::to_owned),
        phases: phases(&config)?,
        url,
        expect,
        apdex_threshold_ms: apdex_threshold_ms(&config, plugins.as_ref())?,
        time_limit: time_limit(&config)?,
    })
}

/// The YAML reader's words without its advice on its own options.
fn malformed(path: &Path, error: &serde_saphyr::Error) -> ScenarioError {
    let told = error.without_snippet().to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    let told = told.split([',', ';']).next().unwrap_or_default();
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    ScenarioError::Malformed { path: path.to_owned(), line, message: told.to_owned() }
}

/// Whether the plugin is there, without which Artillery checks no `expect`.
fn expect_plugin(plugins: Option<&Map<'_>>) -> Checked<bool> {
    let settings = plugins.and_then(|plugins| plugins.get("expect"));
    settings.map(|settings| settings.map(&keys::EXPECT_PLUGIN)).transpose().map(|settings| settings.is_some())
}

fn apdex_threshold_ms(config: &Map<'_>, plugins: Option<&Map<'_>>) -> Checked<Option<f64>> {
    let own = config.get("apdex");
    let of_plugin = plugins.and_then(|plugins| plugins.get("apdex"));
    let mut threshold = None;
    // Where both say it, Artillery's plugin takes the second.
    for settings in [of_plugin, own].into_iter().flatten() {
        if let Some(value) = settings.map(&keys::APDEX)?.get("threshold") {
            threshold =
                Some(value.number_that("expected milliseconds, 1 to 600000", |ms| {
                    (1.0..=600_000.0).contains(&ms)
                })?);
        }
    }
    Ok(threshold)
}

fn time_limit(config: &Map<'_>) -> Checked<Option<Duration>> {
    let Some(http) = config.get("http") else { return Ok(None) };
    let Some(timeout) = http.map(&keys::HTTP)?.get("timeout") else { return Ok(None) };
    let seconds =
        timeout.number_that("expected seconds, 0.1 to 900", |seconds| (0.1..=900.0).contains(&seconds))?;
    Ok(Some(Duration::from_secs_f64(seconds)))
}

fn phases(config: &Map<'_>) -> Checked<Vec<Phase>> {
    const EXPECTED: &str = "expected a list of at least one phase, each with duration and arrivalRate, or arrivalCount, or pause";
    let phases = config.need("phases", EXPECTED)?;
    let items = phases.list(EXPECTED)?;
    if items.is_empty() {
        return Err(phases.invalid(EXPECTED));
    }
    items.iter().map(|item| phase(&item.map(&keys::PHASE)?)).collect()
}

fn phase(phase: &Map<'_>) -> Checked<Phase> {
    let _ = phase.get("name").map(|name| name.text("expected a text")).transpose()?;
    if let Some(pause) = phase.get("pause") {
        if phase.len() > 1 + usize::from(phase.has("name")) {
            return Err(pause.invalid("expected no other key beside pause: it is a phase of its own"));
        }
        return Ok(Phase { duration_s: seconds(&pause)?, arrivals: Arrivals::Pause });
    }
    let length = phase.need("duration", "expected the phase's length, such as 60 or 1m")?;
    let duration_s = seconds(&length)?;
    let arrivals = match (phase.get("arrivalCount"), phase.get("arrivalRate"), phase.get("rampTo")) {
        (Some(count), None, None) => Arrivals::Count(whole(&count, MOST_COUNT)? as u32),
        (Some(count), ..) => {
            return Err(count.invalid("expected either arrivalCount or arrivalRate, not both"));
        }
        (None, rate, Some(to)) => ramp(rate.as_ref(), &to)?,
        (None, Some(rate), None) => Arrivals::Rate(f64::from(whole(&rate, MOST_RATE)?)),
        (None, None, None) => {
            return Err(phase.whole().invalid("expected arrivalRate, arrivalCount or pause in the phase"));
        }
    };
    if let Arrivals::Rate(rate) = arrivals
        && rate * duration_s < 1.0
    {
        return Err(
            length.invalid("expected a phase long enough for one arrival: Artillery would never end it")
        );
    }
    Ok(Phase { duration_s, arrivals })
}

/// Without `arrivalRate` from nothing. A ramp's rates may have fractions, which the steps round; a ramp to 0 goes Artillery's way of
/// steady rates, which have none.
fn ramp(rate: Option<&Value<'_>>, to: &Value<'_>) -> Checked<Arrivals> {
    let rate_of = |value: &Value<'_>| {
        value.number_that("expected arrivals a second, 0 to 5000", |rate| (0.0..=MOST_RATE).contains(&rate))
    };
    let end = rate_of(to)?;
    let from = match rate {
        Some(rate) if end == 0.0 => f64::from(whole(rate, MOST_RATE)?),
        Some(rate) => rate_of(rate)?,
        None => 0.0,
    };
    if from == 0.0 && end == 0.0 {
        return Err(
            to.invalid("expected a rate above 0 at one of the ramp's ends; for no arrivals write pause")
        );
    }
    Ok(Arrivals::Ramp { from, to: end })
}

fn whole(value: &Value<'_>, most: f64) -> Checked<u32> {
    let expected = format!(
        "expected a whole number, 1 to {most}; for fewer than one a second write arrivalCount, for none pause"
    );
    let number =
        value.number_that(&expected, |number| number.fract() == 0.0 && (1.0..=most).contains(&number))?;
    Ok(number as u32)
}

fn seconds(value: &Value<'_>) -> Checked<f64> {
    const EXPECTED: &str =
        "expected whole seconds, such as 60, or a time with its unit, such as 1m, 90s or 1.5s, up to 1d";
    let seconds = match value.number(EXPECTED) {
        Ok(number) => (number.fract() == 0.0).then_some(number),
        Err(_) => duration::seconds(value.text(EXPECTED)?),
    };
    let sound = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= MOST_SECONDS);
    sound.ok_or_else(|| value.invalid(EXPECTED))
}

/// The path of the one request, and what its answer must be.
fn request(top: &Map<'_>, has_expect: bool) -> Checked<(String, Expect)> {
    const SCENARIO: &str = "expected exactly one scenario with a flow of one get";
    const FLOW: &str = "expected exactly one step, a get";
    const URL: &str = "expected a path that begins with /; the address is each variant's own";
    let scenario = only(&top.need("scenarios", SCENARIO)?, SCENARIO)?.map(&keys::SCENARIO)?;
    let _ = scenario.get("name").map(|name| name.text("expected a text")).transpose()?;
    let step = only(&scenario.need("flow", FLOW)?, FLOW)?.map(&keys::STEP)?;
    let get = step.need("get", "expected a map with url")?.map(&keys::GET)?;
    let _ = get.get("name").map(|name| name.text("expected a text")).transpose()?;
    let url = get.need("url", URL)?;
    let path = url.text(URL)?;
    if !path.starts_with('/') || path.parse::<http::uri::PathAndQuery>().is_err() {
        return Err(url.invalid(URL));
    }
    let expect = get.get("expect");
    if let Some(expect) = expect.as_ref().filter(|_| !has_expect) {
        return Err(expect.invalid(
            "expected `expect: {}` in config.plugins as well: without it Artillery checks nothing",
        ));
    }
    Ok((path.to_owned(), expect.map(|expect| expectations(&expect)).transpose()?.unwrap_or_default()))
}

fn only<'a>(value: &Value<'a>, expected: &str) -> Checked<Value<'a>> {
    let mut items = value.list(expected)?;
    match (items.pop(), items.is_empty()) {
        (Some(item), true) => Ok(item),
        _ => Err(value.invalid(expected)),
    }
}

/// A map, or a list of maps of one key: of a longer one Artillery checks the first key alone.
fn expectations(value: &Value<'_>) -> Checked<Expect> {
    let mut expect = Expect::default();
    let listed = value.is_list();
    let items = if listed { value.list("")? } else { vec![value.clone()] };
    for item in items {
        let map = item.map(&keys::EXPECT)?;
        if listed && map.len() != 1 {
            return Err(
                item.invalid("expected one key in each item: of several Artillery checks the first alone")
            );
        }
        if let Some(status) = map.get("statusCode") {
            let codes = if status.is_list() { status.list("")? } else { vec![status] };
            let code = |code: &Value<'_>| {
                let number = code.number_that("expected a status, 100 to 599", |status| {
                    status.fract() == 0.0 && (100.0..600.0).contains(&status)
                });
                number.map(|status| status as u16)
            };
            expect.statuses.extend(codes.iter().map(code).collect::<Checked<Vec<_>>>()?);
        }
        if let Some(content_type) = map.get("contentType") {
            let text = content_type.text("expected json, or a whole content type such as \"text/html\"")?;
            expect.content_type = Some(text.to_owned());
        }
    }
    Ok(expect)
}
