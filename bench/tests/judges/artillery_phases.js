// When Artillery's own phaser lets virtual users arrive, asked by a clock that is only counted.
//
//   node bench/tests/judges/artillery_phases.js <folder of node_modules> < cases.json > answer.json
//
// Reads [{"name", "phases": [..]}, ..] and writes the same with "arrivals_ms", offsets from the start, and "end_ms". The phases go
// the way of `artillery run` in one worker: divideWork, then the phaser. Timers, clocks and immediates are replaced before either is
// loaded: time passes from timer to timer, and an immediate costs a twentieth of a millisecond, so that loops that wait by them end.
'use strict';

const path = require('node:path');
const modules = path.resolve(process.argv[2]);
const realImmediate = setImmediate;

let now = 0;
let number = 0;
let waiting = new Map();

function after(delay, call, rest) {
  const id = ++number;
  waiting.set(id, { at: now + delay, id, call: () => call(...rest) });
  return id;
}
function forget(id) {
  waiting.delete(id);
}
// As Node: whole milliseconds, at least one.
global.setTimeout = (call, delay, ...rest) => after(delay >= 1 ? Math.trunc(delay) : 1, call, rest);
global.setImmediate = (call, ...rest) => after(0.05, call, rest);
global.clearTimeout = forget;
global.clearImmediate = forget;
Date.now = () => now;
global.performance.now = () => now;
process.hrtime = (since) => {
  const nanoseconds = Math.round(now * 1e6) - (since ? since[0] * 1e9 + since[1] : 0);
  return [Math.floor(nanoseconds / 1e9), nanoseconds % 1e9];
};

const divideWork = require(path.join(modules, 'artillery/lib/dist'));
const phaser = require(path.join(modules, '@artilleryio/int-core/lib/phases'));

async function arrivals(phases) {
  now = 0;
  waiting = new Map();
  const [script] = divideWork({ config: { phases } }, 1);
  const events = phaser(script.config.phases);
  const arrivals_ms = [];
  let end_ms = null;
  events.on('arrival', () => arrivals_ms.push(Math.round(now)));
  events.on('done', () => (end_ms = Math.round(now)));
  events.run();
  // Promises first, then the timer that is due next.
  await new Promise((resolve) => realImmediate(resolve));
  while (waiting.size > 0) {
    let next = null;
    for (const timer of waiting.values()) {
      if (next === null || timer.at < next.at || (timer.at === next.at && timer.id < next.id)) next = timer;
    }
    waiting.delete(next.id);
    now = Math.max(now, next.at);
    next.call();
    await new Promise((resolve) => realImmediate(resolve));
  }
  return { arrivals_ms, end_ms };
}

async function main() {
  const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const answers = [];
  for (const { name, phases } of cases) {
    answers.push({ name, phases, ...(await arrivals(structuredClone(phases))) });
  }
  const lines = answers.map((answer) => '  ' + JSON.stringify(answer));
  process.stdout.write('[\n' + lines.join(',\n') + '\n]\n');
}

main();
