"""A trivial job for Hydra's basic launcher: python3 hydra_app.py -m +x=range(0,40)"""
import hydra


@hydra.main(version_base=None, config_path=None)
def main(config):
    return config.get("x", 0)


if __name__ == "__main__":
    main()
