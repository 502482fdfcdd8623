// Loaded before Artillery: ends it when the pipe to the bench closes, however the bench ended.
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  process.stdin.on('end', () => process.exit(1));
  process.stdin.resume();
  process.stdin.unref();
}
