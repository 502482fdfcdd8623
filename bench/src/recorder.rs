//! Keeps what was measured, in memory for the statistics and on disk as it comes.
//!
//! Apart from the phases because it outlives an interrupted one. Invariant: whatever was sent is in `samples.jsonl` when the run
//! ends, finished or not.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lambda_lab::records::Invocation;

use crate::control::Control;
use crate::lab_error::LabError;
use crate::observation::{self, JoinError, Observation};
use crate::result_folder::mend;
use crate::sample::Sample;

/// How long a record may come after its answer: the lab writes it when the sandbox's extensions are done too.
const RECORD_LIMIT: Duration = Duration::from_secs(10);
/// How long to wait before looking for missing records again.
const RECORD_PAUSE: Duration = Duration::from_millis(20);

/// Why a turn's results could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file of the result folder.
    #[error("{path}: {source}; {mend}", mend = mend(source))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of the lab's that is no invocation.
    #[error("{path}: {source} in the line {line:?}; use the lambda-lab of this workspace")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The lab's control port.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Samples without invocations. The lab may have said why, a full disk, say.
    #[error("{source}; the lab's last words:\n{last_words}")]
    Join {
        /// Which.
        source: JoinError,
        /// The lab's standard error.
        last_words: String,
    },
}

/// The results so far.
#[derive(Debug)]
pub struct Recorder {
    samples_path: PathBuf,
    samples: BufWriter<File>,
    invocations: InvocationFile,
    unclaimed: HashMap<String, Invocation>,
    pending: Vec<Sample>,
    observations: Vec<Observation>,
    /// Whether the samples' file could not be written: then what was told of it is not told again.
    failed: bool,
}

impl Recorder {
    /// Starts `samples.jsonl` and will read `invocations.jsonl`.
    ///
    /// # Errors
    /// If the samples' file cannot be made.
    pub fn create(samples: &Path, invocations: &Path) -> Result<Self, RecordError> {
        let file =
            File::create(samples).map_err(|source| RecordError::File { path: samples.to_owned(), source })?;
        Ok(Self {
            samples_path: samples.to_owned(),
            samples: BufWriter::new(file),
            invocations: InvocationFile { path: invocations.to_owned(), offset: 0 },
            unclaimed: HashMap::new(),
            pending: Vec::new(),
            observations: Vec::new(),
            failed: false,
        })
    }

    /// Keeps a sample of the running turn.
    pub fn keep(&mut self, sample: Sample) {
        self.pending.push(sample);
    }

    /// Ends a turn: waits for its invocations' records, joins them and writes its samples.
    ///
    /// # Errors
    /// If records stay away or do not fit, or a file cannot be read or written.
    pub async fn settle(&mut self, control: &Control) -> Result<(), RecordError> {
        let begun = Instant::now();
        loop {
            control.counters().await?;
            self.invocations.read_new(&mut self.unclaimed)?;
            if observation::complete(&self.pending, &self.unclaimed) || begun.elapsed() > RECORD_LIMIT {
                break;
            }
            tokio::time::sleep(RECORD_PAUSE).await;
        }
        let from = self.write_pending()?;
        observation::check(&self.observations[from..])
            .map_err(|source| RecordError::Join { source, last_words: control.last_words() })
    }

    /// Writes what an interrupted turn measured, with what the lab has told of it so far. What was kept stays in memory even
    /// where it cannot be written.
    ///
    /// # Errors
    /// If a file cannot be read or written, unless that was an error before.
    pub fn rescue(&mut self) -> Result<(), RecordError> {
        let read = self.invocations.read_new(&mut self.unclaimed);
        self.write_pending().and(read)
    }

    /// How many requests were measured so far.
    pub fn measured(&self) -> usize {
        self.observations.len()
    }

    /// Takes what was measured since the last taking, so that a long run need not hold all of it.
    pub fn take_observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.observations)
    }

    /// Everything measured.
    pub fn into_observations(self) -> Vec<Observation> {
        self.observations
    }

    /// Joins and writes the pending samples; tells the index of the first of them.
    fn write_pending(&mut self) -> Result<usize, RecordError> {
        let from = self.observations.len();
        self.observations.extend(observation::join(std::mem::take(&mut self.pending), &mut self.unclaimed));
        // What no sample claimed belongs to the comparison of bodies, or to the setup functions.
        self.unclaimed.clear();
        if self.failed {
            return Ok(from);
        }
        let written = write_samples(&mut self.samples, &self.observations[from..]);
        self.failed = written.is_err();
        written.map(|()| from).map_err(|source| RecordError::File { path: self.samples_path.clone(), source })
    }
}

fn write_samples(file: &mut impl Write, observations: &[Observation]) -> std::io::Result<()> {
    for observation in observations {
        let line = serde_json::to_string(&observation.sample)?;
        writeln!(file, "{line}")?;
    }
    file.flush()
}

/// The lab's file, read from where the last reading ended.
#[derive(Debug)]
struct InvocationFile {
    path: PathBuf,
    offset: u64,
}

impl InvocationFile {
    fn read_new(&mut self, into: &mut HashMap<String, Invocation>) -> Result<(), RecordError> {
        let text =
            self.read_text().map_err(|source| RecordError::File { path: self.path.clone(), source })?;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let invocation: Invocation = serde_json::from_str(line).map_err(|source| RecordError::Line {
                path: self.path.clone(),
                line: line.to_owned(),
                source,
            })?;
            into.insert(invocation.trace_id.clone(), invocation);
        }
        Ok(())
    }

    /// The whole lines that are new; a line still being written is left for the next time.
    fn read_text(&mut self) -> std::io::Result<String> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // The lab may make it with its first invocation.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
        self.offset += bytes.len() as u64;
        String::from_utf8(bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }
}
