#!/usr/bin/env node
// A stream worker: how often each word occurs in a text.
const readline = require('node:readline');

const count = (text) => {
  if (typeof text !== 'string') throw new Error('content: expected a string');
  const counts = new Map();
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { uid, content } = JSON.parse(line);
  const answer = { uid };
  try { answer.content = count(content); } catch (error) { answer.error = error.message; }
  process.stdout.write(JSON.stringify(answer) + '\n');
});
