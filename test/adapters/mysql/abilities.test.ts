import { describe, expect, it } from 'vitest';
import { abilitiesOf, constantDefault } from '../../../src/adapters/mysql/abilities.ts';

describe('abilitiesOf', () => {
  it.each([
    ['10.11.19-MariaDB-0+deb12u1-log', true, 'SHOW MASTER STATUS'],
    ['5.5.5-10.4.34-MariaDB', true, 'SHOW MASTER STATUS'],
    ['5.7.44-log', false, 'SHOW MASTER STATUS'],
    ['8.0.36', false, 'SHOW MASTER STATUS'],
    ['8.4.3', false, 'SHOW BINARY LOG STATUS'],
    ['9.1.0-commercial', false, 'SHOW BINARY LOG STATUS'],
  ])('%s', (version, snapshotTellsPosition, positionSql) => {
    expect(abilitiesOf(version)).toMatchObject({ snapshotTellsPosition, positionSql });
  });
});

describe('constantDefault', () => {
  const mariadb = abilitiesOf('10.11.19-MariaDB');
  const mysql = abilitiesOf('8.4.3');
  it.each([
    [mariadb, `'it''s'`, '', `it's`],
    [mariadb, String.raw`'it''s \\ a\nline'`, '', "it's \\ a\nline"],
    [mariadb, '1.50', '', '1.50'],
    [mariadb, 'NULL', '', null],
    [mariadb, 'current_timestamp()', '', undefined],
    [mysql, `it's`, '', `it's`],
    [mysql, 'NULL', '', 'NULL'],
    [mysql, 'CURRENT_TIMESTAMP', 'DEFAULT_GENERATED', undefined],
    [mysql, null, '', null],
  ])('of %o: %s is taken for what it is', (abilities, text, extra, expected) => {
    expect(constantDefault(abilities, text, extra)).toBe(expected);
  });
});
