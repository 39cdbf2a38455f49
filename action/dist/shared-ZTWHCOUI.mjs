import { createRequire as sprocketRequire } from 'node:module';
import { fileURLToPath as sprocketPath } from 'node:url';
import { dirname as sprocketDirname } from 'node:path';
const require = sprocketRequire(import.meta.url);
const __filename = sprocketPath(import.meta.url);
const __dirname = sprocketDirname(__filename);
import{$,ExecaError,ExecaSyncError,execa,execaCommand,execaCommandSync,execaNode,execaSync,getCancelSignal,getEachMessage,getOneMessage,parseCommandString,sendMessage}from"./shared-MTFDEROU.mjs";import"./shared-IZT37YZE.mjs";export{$,ExecaError,ExecaSyncError,execa,execaCommand,execaCommandSync,execaNode,execaSync,getCancelSignal,getEachMessage,getOneMessage,parseCommandString,sendMessage};
