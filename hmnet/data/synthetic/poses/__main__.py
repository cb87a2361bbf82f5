"""`python -m hmnet.data.synthetic.poses`: what is in the pose library."""

from hmnet.data.synthetic.poses.coverage import main

if __name__ == "__main__":
    main()
