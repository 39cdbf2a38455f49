/** The licences of the packages that are in a bundle: their authors ask that they come along. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
});

/** What is compiled into a package, and has authors of its own. */
const WITHIN: Readonly<Record<string, string>> = {
  'libpg-query': [
    'Its WebAssembly holds libpg_query and parts of PostgreSQL:',
    '',
    'libpg_query, BSD-3-Clause (https://github.com/pganalyze/libpg_query/blob/-/LICENSE)',
    'Copyright (c) 2015, Lukas Fittl <lukas@fittl.com>',
    'Copyright (c) 2016-2023, Duboce Labs, Inc. (pganalyze) <team@pganalyze.com>',
    '',
    'PostgreSQL, PostgreSQL License (https://www.postgresql.org/about/licence/)',
    'Portions Copyright (c) 1996-2023, The PostgreSQL Global Development Group',
    'Portions Copyright (c) 1994, The Regents of the University of California',
  ].join('\n'),
};

/** The text, for the source files that went into a bundle; `root` is where their paths begin. */
export async function licencesOf(root: string, files: readonly string[]): Promise<string> {
  const folders = files.flatMap((file) => {
    const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(file);
    return found === null ? [] : [found[0]];
  });
  const packages = [...new Set(folders)].toSorted();
  const parts = await Promise.all(packages.map((folder) => licenceOf(join(root, folder))));
  return ['Packages in this bundle, and their licences.\n', ...parts].join(
    `\n${'='.repeat(80)}\n\n`,
  );
}

async function licenceOf(folder: string): Promise<string> {
  const { name, version, license } = manifestSchema.parse(
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
  );
  const text = await licenceText(folder);
  if (text === null) throw new Error(`${name} is in the bundle and has no licence text.`);
  const within = WITHIN[name] === undefined ? '' : `\n${WITHIN[name]}\n`;
  return `${name} ${version}, ${license}\n\n${text.trim()}\n${within}`;
}

/** The file of that name, else the part of the README. */
async function licenceText(folder: string): Promise<string | null> {
  const names = (await readdir(folder)).toSorted();
  const file = names.find((name) => /^licen[cs]e(?:\.|$)/iu.test(name));
  if (file !== undefined) return lines(await readFile(join(folder, file), 'utf8'));
  const readme = names.find((name) => /^readme/iu.test(name));
  if (readme === undefined) return null;
  const text = lines(await readFile(join(folder, readme), 'utf8'));
  return /^#+ *licen[cs]e\s*\n([\s\S]+?)(?=^#|(?![\s\S]))/imu.exec(text)?.[1] ?? null;
}

function lines(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[ \t]+$/gmu, '');
}
