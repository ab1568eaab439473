import { mount } from "../lib/mount"; mount(() => null, () => "");
