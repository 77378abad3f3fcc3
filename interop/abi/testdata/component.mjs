// Embeds a world into a core module, makes a component of it and prints the component's WIT.
//
//   node component.mjs NPM-FOLDER MODULE WIT-FOLDER WORLD
import { createRequire } from 'node:module';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [npm, modulePath, wit, worldName] = process.argv.slice(2);
const require = createRequire(join(npm, 'package.json'));
const jco = await import(pathToFileURL(require.resolve('@bytecodealliance/jco')));

// One package is spread over several files; only the first of the joined text may name it.
const files = (await readdir(wit)).filter((name) => name.endsWith('.wit')).sort();
let witSource = '';
for (const name of files) {
  const text = await readFile(join(wit, name), 'utf8');
  witSource += witSource === '' ? text : text.replace(/^package .*;$/m, '');
}

const binary = await readFile(modulePath);
const embedded = await jco.componentEmbed({ binary, witSource, worldName, stringEncoding: 'utf8' });
const adapter = await readFile(jco.preview1AdapterReactorPath());
const component = await jco.componentNew(embedded, [['wasi_snapshot_preview1', adapter]]);
console.log(await jco.componentWit(component));
