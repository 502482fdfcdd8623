//! Which keys of a test script the built-in engine supports, and which only Artillery knows.
//!
//! Apart from the rules because it is a table. The keys are those of Artillery's documentation,
//! <https://www.artillery.io/docs/reference/test-script>, <https://www.artillery.io/docs/reference/engines/http> and
//! <https://www.artillery.io/docs/reference/extensions/expect>, and of version 2.0.21. Invariant: a key is in one of a section's two
//! lists at most, so it is either read, or refused with the right words.

/// The keys of one section.
pub(super) struct Section {
    /// What the built-in engine reads.
    pub(super) supported: &'static [&'static str],
    /// What Artillery reads too.
    only_artillery: &'static [&'static str],
    /// Whether other keys may be Artillery's as well: its plugins are packages of any name.
    open: bool,
}

/// What is to be said of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Supported,
    OnlyArtillery,
    Nowhere,
}

impl Section {
    pub(super) fn knows(&self, key: &str) -> Known {
        if self.supported.contains(&key) {
            Known::Supported
        } else if self.open || self.only_artillery.contains(&key) {
            Known::OnlyArtillery
        } else {
            Known::Nowhere
        }
    }
}

const fn section(supported: &'static [&'static str], only_artillery: &'static [&'static str]) -> Section {
    Section { supported, only_artillery, open: false }
}

pub(super) const TOP: Section = section(&["config", "scenarios"], &["before", "after"]);

pub(super) const CONFIG: Section = section(
    &["target", "phases", "http", "apdex", "plugins"],
    &[
        "bundling",
        "defaults",
        "engines",
        "ensure",
        "environments",
        "includeFiles",
        "mode",
        "payload",
        "processor",
        "socketio",
        "statsInterval",
        "timeout",
        "tls",
        "variables",
        "ws",
    ],
);

pub(super) const PHASE: Section =
    section(&["name", "duration", "arrivalRate", "rampTo", "arrivalCount", "pause"], &["maxVusers", "mode"]);

pub(super) const HTTP: Section = section(
    &["timeout"],
    &["maxSockets", "extendedMetrics", "distributedTracing", "defaults", "pool", "cookieJarOptions"],
);

pub(super) const APDEX: Section = section(&["threshold"], &[]);

pub(super) const PLUGINS: Section =
    Section { supported: &["expect", "apdex"], only_artillery: &[], open: true };

/// `outputFormat` and `formatter` say what Artillery prints; a failed expectation is always an error in the built-in engine.
pub(super) const EXPECT_PLUGIN: Section = section(
    &["outputFormat", "formatter", "reportFailuresAsErrors"],
    &["expectDefault200", "useOnlyRequestNames"],
);

pub(super) const SCENARIO: Section = section(
    &["name", "flow"],
    &[
        "weight",
        "engine",
        "beforeScenario",
        "afterScenario",
        "beforeRequest",
        "afterResponse",
        "onError",
        "variables",
    ],
);

pub(super) const STEP: Section = section(
    &["get"],
    &[
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "loop",
        "whileTrue",
        "count",
        "over",
        "think",
        "log",
        "function",
        "parallel",
    ],
);

pub(super) const GET: Section = section(
    &["url", "name", "expect"],
    &[
        "uri",
        "headers",
        "cookie",
        "qs",
        "json",
        "body",
        "form",
        "formData",
        "auth",
        "gzip",
        "followRedirect",
        "capture",
        "match",
        "ifTrue",
        "probability",
        "beforeRequest",
        "afterResponse",
        "setContentLengthHeader",
    ],
);

pub(super) const EXPECT: Section = section(
    &["statusCode", "contentType"],
    &[
        "notStatusCode",
        "hasHeader",
        "headerEquals",
        "hasProperty",
        "notHasProperty",
        "equals",
        "matchesRegexp",
        "cdnHit",
        "jmespath",
        "jpath",
    ],
);
