import { fileStorageKit } from "../examples/file-storage-kit.ts";
import { describeKit } from "../storage/describe-kit.ts";

describeKit("examples/custom-storage keeps every promise of a storage", fileStorageKit, { atOnce: 8 });
